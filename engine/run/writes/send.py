"""Ops, sent: noted before and after, and what the provider answers put into the mirror."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
from ..executor import OutputFile
from ..exports import Op, OpEnd, OpState, WriteLedger
from ..ports import Staging
from .bounds import Watch
from .ops import request_of

_STATES: Mapping[WriteState, OpState] = {
    WriteState.DONE: OpState.DONE,
    WriteState.FAILED: OpState.FAILED,
    WriteState.UNKNOWN: OpState.UNKNOWN,
    WriteState.UNSENT: OpState.DROPPED,
}
_STAGE_EVERY = 500


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
    _answers: list[tuple[str, str, bytes]] = field(default_factory=list)
    _targets: dict[str, str] = field(default_factory=dict)
    _waiting: str | None = None
    _folders: count[int] = field(default_factory=count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.watch = Watch(self.caps)

    def send(self, ops: Sequence[Op]) -> None:
        """Send them, as far as nothing stops it. Whatever happens, what has been answered is in the ledger."""
        self._targets.update({op.id: op.target for op in ops})
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
        self._answers += [(op.id, op.target, op.answer) for op in ops if op.answer is not None]
        self._stage()

    def _note_sent(self, ids: Sequence[str]) -> None:
        self.ledger.mark_sent(ids, self.context.world.now())

    def _note_ended(self, results: Sequence[WriteResult]) -> None:
        now = self.context.world.now()
        self.ledger.end_ops([_end(result, now) for result in results])
        for result in results:
            self.results[result.id] = result
            self.watch.note(result)
            if result.body is not None and result.state is WriteState.DONE:
                self._answers.append((result.id, self._targets[result.id], result.body))
        self._tell()
        if len(self._answers) >= _STAGE_EVERY:
            self._stage()

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
            found = self.writer.spool([(target, body) for _, target, body in answers], folder)
            files = [OutputFile(str(file.path), file.rows, file.table, file.meta) for file in found.files]
            gone = tuple(Gone("", table, ids) for table, ids in found.gone.items())
            if files or gone:
                read_at = self.staging.next_read(self.context.world.now())
                self.staging.load(files, (), read_at, Changes(gone=gone))
            self.ledger.staged([op for op, _, _ in answers])
            shutil.rmtree(folder, ignore_errors=True)


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
