"""Ops, sent: noted before and after, and what the provider answers put into the mirror."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from engine.connector import (
    Changes,
    Gone,
    WriteCounts,
    WriteHooks,
    Writer,
    WriteResult,
    WriteState,
)
from engine.graph import Caps

from ..context import RunContext, file_name
from ..ports.executor import OutputFile
from ..ports.ledger import Op, OpEnd, OpState, WriteLedger
from ..ports.staging import Staging
from .bounds import Watch
from .ops import request_of

_STATES: Mapping[WriteState, OpState] = {
    WriteState.DONE: OpState.DONE,
    WriteState.FAILED: OpState.FAILED,
    WriteState.UNKNOWN: OpState.UNKNOWN,
    WriteState.UNSENT: OpState.DROPPED,
}
_STAGE_EVERY = 500


_AT_THE_DOOR = frozenset({401, 403, 429})
"""Statuses of a refusal that does not say what became of an earlier try."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was answered to an op. One that is `old` says how its object was, not how it is."""

    op: str
    target: str
    body: bytes
    old: bool


@dataclass(slots=True)
class Sender:
    """Sends the ops of one step. `results` are the ends by op; the provider's answers go to the mirror as they come."""

    step: str
    connection: str
    context: RunContext
    writer: Writer
    ledger: WriteLedger
    staging: Staging
    caps: Caps
    total: int = 0
    results: dict[str, WriteResult] = field(default_factory=dict)
    counts: WriteCounts = field(default_factory=WriteCounts)
    watch: Watch = field(init=False)
    _answers: list[_Answer] = field(default_factory=list)
    _ops: dict[str, Op] = field(default_factory=dict)
    _waiting: str | None = None
    _folders: count[int] = field(default_factory=count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.watch = Watch(self.caps)

    def send(self, ops: Sequence[Op]) -> None:
        """Send them, as far as nothing stops it. Whatever happens, what has been answered is in the ledger."""
        self._ops.update({op.id: op for op in ops})
        self.total += len(ops)
        hooks = WriteHooks(self._note_sent, self._note_ended, self._is_stopping, self._note_waiting)
        try:
            made = self.writer.write([request_of(op) for op in ops], hooks)
            before = self.counts
            self.counts = WriteCounts(
                before.requests + made.requests, before.retries + made.retries, before.limited + made.limited
            )
        finally:
            self._stage()

    def stage_left(self, ops: Sequence[Op]) -> None:
        """Put answers into the mirror that a run before this one has left behind."""
        self._answers += [_Answer(op.id, op.target, op.answer, old=True) for op in ops if op.answer is not None]
        self._stage()

    def _note_sent(self, ids: Sequence[str]) -> None:
        self.ledger.mark_sent(ids, self.context.world.now())

    def _note_ended(self, results: Sequence[WriteResult]) -> None:
        now = self.context.world.now()
        judged = [_judged(result, self._ops[result.id]) for result in results]
        self.results.update({result.id: result for result in judged})
        self.ledger.end_ops([_end(result, now) for result in judged if not self._stays_open(result)])
        for result in judged:
            self.watch.note(result)
            if result.body is not None and result.state is WriteState.DONE:
                target = self._ops[result.id].target
                self._answers.append(_Answer(result.id, target, result.body, old=result.replayed))
        self._tell()
        if len(self._answers) >= _STAGE_EVERY:
            self._stage()

    def _stays_open(self, result: WriteResult) -> bool:
        """Whether a later run has to send it: an earlier one may have done so, or what it requires may be done."""
        op = self._ops[result.id]
        if result.state is not WriteState.UNSENT or op.sent is not None:
            return result.state is WriteState.UNSENT
        if op.requires is None:
            return False
        needed = self.results.get(op.requires)  # None: it was done by an earlier run
        return needed is None or needed.state in (WriteState.DONE, WriteState.UNKNOWN)

    def _is_stopping(self) -> bool:
        return self.watch.reason is not None or self.context.is_stopping()

    def _note_waiting(self, reason: str | None) -> None:
        self._waiting = reason
        self._tell()

    def _tell(self) -> None:
        counts = {"sent": len(self.results), "of": self.total}
        self.context.progress(self.step, counts, self._waiting)

    def _stage(self) -> None:
        """Commit what was answered to the mirror, and forget it in the ledger."""
        with self._lock:
            answers, self._answers = self._answers, []
            if not answers:
                return
            folder = self.context.spool / "answers" / f"{file_name(self.step)}-{next(self._folders)}"
            bodies = [(each.target, each.body) for each in answers if not each.old]
            old = [(each.target, each.body) for each in answers if each.old]
            if old:
                bodies += self.writer.renew(old)
            found = self.writer.spool(bodies, folder)
            files = [OutputFile(str(file.path), file.rows, file.table, file.meta) for file in found.files]
            gone = tuple(Gone("", table, ids) for table, ids in found.gone.items())
            if files or gone:
                read_at = self.staging.next_read(self.context.world.now())
                self.staging.load(files, (), read_at, Changes(gone=gone))
            self.ledger.staged([each.op for each in answers])
            shutil.rmtree(folder, ignore_errors=True)


def _judged(result: WriteResult, op: Op) -> WriteResult:
    """The result, as far as it speaks of all that was sent under the op's id, in this run or before."""
    status = result.failure.status if result.failure is not None else None
    refused = status is not None and 400 <= status < 500 and status not in _AT_THE_DOOR
    if op.sent is not None and result.state is WriteState.FAILED and not refused:
        return replace(result, state=WriteState.UNKNOWN)
    return result


def _end(result: WriteResult, now: datetime) -> OpEnd:
    return OpEnd(
        id=result.id,
        state=_STATES[result.state],
        ended=now,
        result=result.object,
        failure=result.failure,
        request=result.request,
        note="the provider repeated its answer" if result.replayed else None,
        answer=result.body if result.state is WriteState.DONE else None,
    )
