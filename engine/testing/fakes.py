"""Fakes of the ports of a run: real behaviour, held in memory."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from importlib import import_module

from engine.connector import ConnectorError
from engine.run import (
    ConnectionReads,
    Json,
    Partition,
    ReportSink,
    RunRecord,
    Stage,
    StageFunction,
    StepRecord,
    TaskContext,
    TaskResult,
)


@dataclass(slots=True)
class _Lease:
    token: int
    owner: str
    expires: datetime


@dataclass
class RunMemory:
    """What a `MemoryRunStore` keeps; hand the same one to several stores to see them share it."""

    runs: dict[str, tuple[RunRecord, list[StepRecord]]] = field(default_factory=dict)
    leases: dict[str, _Lease] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    tracked: dict[tuple[str, str], str] = field(default_factory=dict)
    reads: Counter[tuple[str, date]] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


class MemoryRunStore:
    """A `RunStore` in memory, for tests and for trying things out."""

    def __init__(self, memory: RunMemory | None = None) -> None:
        self._memory = memory or RunMemory()

    def acquire(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> int | None:
        """See `RunStore.acquire`."""
        with self._memory.lock:
            lease = self._memory.leases.get(name)
            if lease is not None and lease.expires > now:
                return None
            token = self._memory.tokens.get(name, 0) + 1
            self._memory.tokens[name] = token
            self._memory.leases[name] = _Lease(token, owner, now + timedelta(seconds=ttl_seconds))
            return token

    def renew(self, name: str, token: int, now: datetime, ttl_seconds: float) -> bool:
        """See `RunStore.renew`."""
        with self._memory.lock:
            lease = self._memory.leases.get(name)
            if lease is None or lease.token != token:
                return False
            lease.expires = now + timedelta(seconds=ttl_seconds)
            return True

    def release(self, name: str, token: int) -> None:
        """See `RunStore.release`."""
        with self._memory.lock:
            lease = self._memory.leases.get(name)
            if lease is not None and lease.token == token:
                del self._memory.leases[name]

    def holder(self, name: str) -> str | None:
        """See `RunStore.holder`."""
        with self._memory.lock:
            lease = self._memory.leases.get(name)
            return lease.owner if lease is not None else None

    def evict(self, name: str, owner: str) -> bool:
        """See `RunStore.evict`."""
        with self._memory.lock:
            lease = self._memory.leases.get(name)
            if lease is None or lease.owner != owner:
                return False
            del self._memory.leases[name]
            return True

    def begin_run(self, run: RunRecord) -> None:
        """See `RunStore.begin_run`."""
        with self._memory.lock:
            self._memory.runs[run.id] = (run, [])

    def end_step(self, run_id: str, step: StepRecord) -> None:
        """See `RunStore.end_step`."""
        with self._memory.lock:
            self._memory.runs[run_id][1].append(step)

    def end_run(
        self,
        run_id: str,
        status: str,
        ended: datetime,
        counts: Mapping[str, int],
        reads: Sequence[ConnectionReads] = (),
    ) -> None:
        """See `RunStore.end_run`."""
        with self._memory.lock:
            run, steps = self._memory.runs[run_id]
            run = replace(run, status=status, ended=ended, counts=dict(counts), reads=tuple(reads))
            self._memory.runs[run_id] = (run, steps)

    def runs(self, limit: int) -> Sequence[RunRecord]:
        """See `RunStore.runs`."""
        with self._memory.lock:
            found = [run for run, _ in self._memory.runs.values()]
        return sorted(found, key=lambda run: (run.started, run.id), reverse=True)[:limit]

    def run(self, run_id: str) -> tuple[RunRecord, Sequence[StepRecord]] | None:
        """See `RunStore.run`."""
        with self._memory.lock:
            if run_id not in self._memory.runs:
                names = [name for name in self._memory.runs if name.startswith(run_id)]
                if len(names) != 1:
                    return None
                run_id = names[0]
            run, steps = self._memory.runs[run_id]
            return run, list(steps)

    def tracked(self) -> Mapping[tuple[str, str], str]:
        """See `RunStore.tracked`."""
        with self._memory.lock:
            return dict(self._memory.tracked)

    def track(self, interface: str, values: Mapping[str, str]) -> None:
        """See `RunStore.track`."""
        with self._memory.lock:
            self._memory.tracked.update({(interface, name): value for name, value in values.items()})

    def count_reads(self, connection: str, day: date, requests: int) -> None:
        """See `ReadLedger.count_reads`."""
        with self._memory.lock:
            self._memory.reads[connection, day] += requests

    def reads_since(self, day: date) -> Mapping[str, int]:
        """See `ReadLedger.reads_since`."""
        with self._memory.lock:
            total: Counter[str] = Counter()
            for (connection, made), requests in self._memory.reads.items():
                total.update({connection: requests} if made >= day else {})
            return dict(total)

    def close(self) -> None:
        """See `RunStore.close`."""


class DirectExecutor:
    """An `Executor` that runs each partition in the thread that asks for its result. Keeps no markers."""

    @property
    def parallelism(self) -> int:
        """One partition at a time."""
        return 1

    def map(
        self, stage: Stage, parts: Sequence[Partition], report: ReportSink, cancelled: Callable[[], bool]
    ) -> Iterator[TaskResult]:
        """See `Executor.map`."""
        module, _, name = stage.function.partition(":")
        function: StageFunction = getattr(import_module(module), name)
        for part in parts:
            yield self._run(function, stage, part, report, cancelled)

    def close(self) -> None:
        """See `Executor.close`."""

    @staticmethod
    def _run(
        function: StageFunction, stage: Stage, part: Partition, report: ReportSink, cancelled: Callable[[], bool]
    ) -> TaskResult:
        directory = stage.root / stage.id / part.id
        directory.mkdir(parents=True)

        def tell(counts: Mapping[str, Json]) -> None:
            report(part.id, counts)

        try:
            output = function(stage.config, part.payload, TaskContext(directory, 1, tell, cancelled))
        except ConnectorError as error:
            return TaskResult(part.id, 1, error=error.failure)
        return TaskResult(part.id, 1, output.files, output.value)
