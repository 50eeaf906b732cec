"""Figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.diagnostics import CODES

if TYPE_CHECKING:
    from engine.app.serving.engine import Engine
    from engine.app.serving.runs import Ordered

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600)


class Metrics:
    """Counts requests and runs; what the engine knows is asked when the page is."""

    def __init__(self, engine: Engine) -> None:
        self._registry = CollectorRegistry()
        self._runs = Counter(
            "weir_runs", "Runs that have ended.", ("interface", "status", "trigger"), registry=self._registry
        )
        self._seconds = Histogram(
            "weir_run_seconds", "How long runs took.", ("interface",), buckets=_SECONDS, registry=self._registry
        )
        self._requests = Counter(
            "weir_requests", "Answers of the API.", ("method", "route", "status"), registry=self._registry
        )
        self._registry.register(_Known(engine))
        engine.on_end.append(self._note_run)

    def note_request(self, method: str, route: str, status: int) -> None:
        """An answer has gone out. `route` is the pattern, so that there are few."""
        self._requests.labels(method, route, str(status)).inc()

    def page(self) -> bytes:
        """All figures."""
        return generate_latest(self._registry)

    def _note_run(self, ordered: Ordered) -> None:
        trigger = "schedule" if ordered.by == "schedule" else "api"
        self._runs.labels(ordered.interface, ordered.status, trigger).inc()
        if ordered.started is not None and ordered.ended is not None:
            seconds = (ordered.ended - ordered.started).total_seconds()
            self._seconds.labels(ordered.interface).observe(max(0.0, seconds))


class _Known(Collector):
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        engine = self._engine
        going_on = engine.runs.going_on()
        for status in ("waiting", "running"):
            number = sum(each.status == status for each in going_on)
            yield GaugeMetricFamily(f"weir_runs_{status}", f"Runs that are {status}.", value=number)
        live = engine.live
        number = live.number if live is not None else 0
        yield GaugeMetricFamily("weir_generation", "The number of the live generation; 0 when none is.", value=number)
        waits = int(engine.last is not None and engine.last.pending is not None)
        yield GaugeMetricFamily("weir_pending", "Whether definitions wait for `weir apply`.", value=waits)
        yield CounterMetricFamily("weir_reloads", "New generations of this process.", value=engine.reloads)
        findings = GaugeMetricFamily("weir_findings", "What is wrong with the definitions.", labels=("severity",))
        found = [str(CODES[each.code].severity) for each in engine.last.offered.diagnostics] if engine.last else []
        for severity in ("error", "warning"):
            findings.add_metric((severity,), found.count(severity))
        yield findings
        lags = GaugeMetricFamily("weir_due_lag_seconds", "How late a due start is.", labels=("interface",))
        for name, lag in sorted(engine.due_lags().items()):
            lags.add_metric((name,), lag)
        yield lags

    def describe(self) -> Iterator[Metric]:
        """Nothing: asking now would ask an engine that has not begun."""
        return iter(())
