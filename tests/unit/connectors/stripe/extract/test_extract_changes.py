"""Extraction that continues from a mirror: events first, then the objects that events do not carry."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.connector import Coverage, EventInterval, Mirror, Pace, SliceReport, Window, decode_slice
from engine.connectors.stripe import CONNECTOR
from engine.connectors.stripe.catalogue import load_catalogue
from engine.connectors.stripe.extract import extract_partition
from engine.run import TaskContext
from tests.support.stripe.http_server import Asked, Reply, serving
from tests.support.stripe.stripe_model import StripeModel, customer, needs

VERSION = load_catalogue().api_version
NOW = datetime.now(UTC).replace(microsecond=0)
BEFORE = NOW - timedelta(hours=1)
CHANGED = [customer(number) for number in range(40)]
PATHS = sorted(f"/v1/customers/cus_{number}" for number in range(40))


def event_of(shown: dict[str, Any], number: int) -> dict[str, Any]:
    """An event that carries an object in the form of another API version."""
    return {
        "id": f"evt_{number}", "object": "event", "type": "customer.updated", "livemode": False,
        "created": int(BEFORE.timestamp()) + 1 + number, "api_version": "2020-08-27", "data": {"object": shown},
        "pending_webhooks": 0,
    }  # fmt: skip


def model() -> StripeModel:
    """Forty customers, all changed since the mirror was made."""
    events = [event_of(each, number) for number, each in enumerate(CHANGED)]
    return StripeModel({"/v1/customers": CHANGED, "/v1/events": events})


def extracted(
    url: str, folder: Path, state: Any = None, cancelled: Callable[[], bool] = lambda: False, **config: Any
) -> SliceReport:
    """The report of a slice that continues from the mirror."""
    end = int(BEFORE.timestamp())
    covered = Coverage("", "customers", Window(None, end), ((),), BEFORE, "list", VERSION, 1, 40, True, (), BEFORE)
    mirror = Mirror("", (covered,), EventInterval(BEFORE, BEFORE, NOW))
    reads = CONNECTOR.refresh(CONNECTOR.plan_reads(needs("customers")), mirror, Pace(NOW))
    payload: Any = {"reads": [{"table": each.table, "options": each.options} for each in reads], "state": state}
    folder.mkdir()
    config = {"secret": ["sandbox", ""], "base_url": url, "requests_per_second": 10_000, **config}
    output = extract_partition(config, payload, TaskContext(folder, 1, lambda _totals: None, cancelled))
    return decode_slice(output.value)


def test_objects_named_by_events_are_retrieved_concurrently(tmp_path: Path) -> None:
    """The concurrency is reached and not exceeded."""
    shop = model()

    def slowly(asked: Asked) -> Reply:
        answer = shop(asked)
        answer.late = 0.02
        return answer

    with serving(slowly) as server:
        extracted(server.url, tmp_path / "slice", concurrency=6)
    assert sorted(asked.path for asked in server.asked if asked.path in PATHS) == PATHS, "each once"
    assert server.most == 6


def test_events_are_applied_only_when_all_their_objects_are_read(tmp_path: Path) -> None:
    """A slice that stops earlier claims no events."""
    shop, stopped = model(), threading.Event()

    def held(asked: Asked) -> Reply:
        answer = shop(asked)
        if asked.path == PATHS[-1] and not stopped.is_set():
            stopped.set()
            answer.late = 5.0  # The slice does not wait for it.
        return answer

    with serving(held) as server:
        first = extracted(server.url, tmp_path / "first", cancelled=stopped.is_set)
        assert (first.changes.events, len(first.remaining["cursors"]) > 0) == ((), True)
        second = extracted(server.url, tmp_path / "second", first.remaining)
    assert second.remaining is None
    assert len(second.changes.events) == 1
    assert {asked.path for asked in server.asked} >= {*PATHS}
