"""Fakes of the ports of a run: real behaviour, held in memory."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from importlib import import_module

from engine.connector import ConnectorError
from engine.run import (
    DOUBTFUL_STATES,
    OPEN_STATES,
    ConnectionReads,
    Json,
    Op,
    OpEnd,
    OpState,
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


@dataclass
class WriteMemory:
    """What a `MemoryWriteLedger` keeps; hand the same one to several ledgers to see them share it."""

    ops: dict[str, Op] = field(default_factory=dict)
    identities: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


class MemoryWriteLedger:
    """A `WriteLedger` in memory, for tests and for trying things out."""

    def __init__(self, memory: WriteMemory | None = None) -> None:
        self._memory = memory or WriteMemory()

    def plan_ops(self, ops: Sequence[Op]) -> None:
        """See `WriteLedger.plan_ops`."""
        with self._memory.lock:
            self._memory.ops.update({op.id: op for op in ops})

    def mark_sent(self, ids: Sequence[str], now: datetime) -> None:
        """See `WriteLedger.mark_sent`."""
        with self._memory.lock:
            for op in self._found(ids):
                self._memory.ops[op.id] = replace(op, state=OpState.SENT, sent=op.sent or now)

    def end_ops(self, ends: Sequence[OpEnd]) -> None:
        """See `WriteLedger.end_ops`."""
        with self._memory.lock:
            for end in ends:
                for op in self._found([end.id]):
                    ended = replace(
                        op,
                        state=end.state,
                        ended=end.ended,
                        result=end.result,
                        failure=end.failure,
                        request=end.request,
                        note=end.note,
                        answer=end.answer,
                    )
                    self._memory.ops[op.id] = ended
                    if ended.state is OpState.DONE:
                        self._note_identity(ended)

    def _note_identity(self, op: Op) -> None:
        if op.use in ("create", "replace") and op.result is not None:
            self._memory.identities.setdefault((op.connection, op.step), {})[op.key] = op.result
        if op.use == "retire":
            for (connection, _), known in self._memory.identities.items():
                if connection == op.connection:
                    for key in [key for key, value in known.items() if value == op.object]:
                        del known[key]

    def staged(self, ids: Sequence[str]) -> None:
        """See `WriteLedger.staged`."""
        with self._memory.lock:
            self._memory.ops.update({op.id: replace(op, answer=None) for op in self._found(ids)})

    def unstaged(self, connection: str) -> Sequence[Op]:
        """See `WriteLedger.unstaged`."""
        return self._in_order(lambda op: op.connection == connection and op.answer is not None)

    def open_ops(self, connection: str) -> Sequence[Op]:
        """See `WriteLedger.open_ops`."""
        return self._in_order(lambda op: op.connection == connection and op.state in OPEN_STATES)

    def identities(self, connection: str, step: str) -> Mapping[str, str]:
        """See `WriteLedger.identities`."""
        with self._memory.lock:
            return dict(self._memory.identities.get((connection, step), {}))

    def remember(self, connection: str, step: str, found: Iterable[tuple[str, str]], now: datetime) -> None:  # noqa: ARG002 - nobody asks since when
        """See `WriteLedger.remember`."""
        with self._memory.lock:
            self._memory.identities.setdefault((connection, step), {}).update(found)

    def blocked(self, connection: str, step: str) -> frozenset[str]:
        """See `WriteLedger.blocked`."""
        return self._keys(connection, step, lambda op: op.state in DOUBTFUL_STATES)

    def called(self, connection: str, step: str) -> Mapping[str, str]:
        """See `WriteLedger.called`."""
        done = self._in_order(lambda op: op.use == "call" and op.state is OpState.DONE)
        return {op.key: op.result or "" for op in done if (op.connection, op.step) == (connection, step)}

    def ops(
        self, limit: int, states: Sequence[OpState] = (), run: str | None = None, step: str | None = None
    ) -> Sequence[Op]:
        """See `WriteLedger.ops`."""
        found = self._in_order(
            lambda op: (
                (not states or op.state in states)
                and op.run.startswith(run or "")
                and (step is None or op.step == step or op.step.startswith(f"{step}."))
            )
        )
        return found[::-1][:limit]

    def ops_beginning(self, op_id: str, limit: int) -> Sequence[Op]:
        """See `WriteLedger.ops_beginning`."""
        with self._memory.lock:
            return [op for name, op in sorted(self._memory.ops.items()) if name.startswith(op_id)][:limit]

    def count_ops(self, run: str) -> Mapping[OpState, int]:
        """See `WriteLedger.count_ops`."""
        counted = Counter(op.state for op in self._in_order(lambda op: op.run == run))
        return {state: counted[state] for state in OpState if counted[state]}

    def steps(self) -> Sequence[str]:
        """See `WriteLedger.steps`."""
        return sorted({op.step for op in self._in_order(lambda _: True)})

    def resolve(self, end: OpEnd) -> bool:
        """See `WriteLedger.resolve`."""
        with self._memory.lock:
            found = self._found([end.id])
        if not found or found[0].state not in DOUBTFUL_STATES:
            return False
        self.end_ops([end])
        return True

    def op(self, op_id: str) -> Op | None:
        """See `WriteLedger.op`."""
        with self._memory.lock:
            if op_id in self._memory.ops:
                return self._memory.ops[op_id]
            found = [op for name, op in self._memory.ops.items() if name.startswith(op_id)]
        return found[0] if len(found) == 1 else None

    def close(self) -> None:
        """Nothing is held."""

    def _found(self, ids: Sequence[str]) -> list[Op]:
        return [self._memory.ops[each] for each in ids if each in self._memory.ops]

    def _in_order(self, which: Callable[[Op], bool]) -> list[Op]:
        with self._memory.lock:
            found = [op for op in self._memory.ops.values() if which(op)]
        return sorted(found, key=lambda op: (op.planned, op.number))

    def _keys(self, connection: str, step: str, which: Callable[[Op], bool]) -> frozenset[str]:
        return frozenset(op.key for op in self._in_order(which) if (op.connection, op.step) == (connection, step))


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
