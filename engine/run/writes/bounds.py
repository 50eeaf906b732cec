"""Limits that stop writes, before the first one and while they are sent."""

from __future__ import annotations

from engine.connector import FailureKind, WriteResult, WriteState
from engine.diagnostics import plural
from engine.graph import Caps, Use
from engine.plan import StepWrites

from ..context import TaskError

FIRST_JUDGED = 20
"""From how many writes on the share of those that fail counts."""
FEW_DELETES = 20
FEW_SHARE = 0.1

_HOPELESS = frozenset({FailureKind.KEY, FailureKind.PERMISSION, FailureKind.GRANT, FailureKind.SECRET})


def demand_bounds(writes: StepWrites, caps: Caps) -> None:
    """`TaskError` E641 when a step would write more than its `caps` allow: then nothing is written at all."""
    total = len(writes.writes)
    if caps.max_writes is not None and total > caps.max_writes:
        raise TaskError(
            "E641",
            f"would send {plural(total, 'write')}; `caps.max_writes` is {caps.max_writes:,}: nothing was written",
            "check them with `weir plan --live`, and raise the cap if they are intended",
        )
    gone = writes.count(Use.RETIRE)
    most = caps.max_deletes
    if most is None:
        most = max(FEW_DELETES, int(FEW_SHARE * writes.managed))
        limit = f"the limit without `caps.max_deletes` is {most:,}"
    else:
        limit = f"`caps.max_deletes` is {most:,}"
    if gone > most:
        raise TaskError(
            "E641",
            f"would retire {plural(gone, 'object')}; {limit}: nothing was written",
            "check them with `weir plan --live`, and set `caps.max_deletes` if they are intended",
        )


class Watch:
    """Counts how writes end, and says when no more may be sent."""

    def __init__(self, caps: Caps) -> None:
        self._share = caps.max_error_share
        self.ended = 0
        self.bad = 0
        self.reason: str | None = None

    def note(self, result: WriteResult) -> None:
        """Take note of an end."""
        if result.state is WriteState.UNSENT:
            return
        self.ended += 1
        if result.state is WriteState.DONE:
            return
        self.bad += 1
        failure = result.failure
        if failure is not None and failure.kind in _HOPELESS:
            self.reason = self.reason or f"no more were sent: {failure.message}"
        elif self.ended >= FIRST_JUDGED and self.bad > self._share * self.ended:
            text = (
                f"no more were sent: {self.bad} of {self.ended} failed, and `caps.max_error_share` is {self._share:g}"
            )
            self.reason = self.reason or text
