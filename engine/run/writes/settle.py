"""What became of the writes that an earlier run has left open: sent again, looked up, or put aside for a person.

A write is sent again only under its own id and with its own body, and only while the provider remembers ids. What is
older is looked up. What may have moved money and cannot be found is never done a second time by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from engine.connector import Effect, FailureKind, WriteResult

from ..ports.ledger import Op, OpEnd, OpState, WriteLedger
from .ops import renewed
from .send import Sender

REMEMBERED: Final = timedelta(hours=23)
"""How long an id may be sent again: providers forget them after 24 hours."""

_MADE: Final = frozenset({"create", "replace"})


def settle(
    ops: Sequence[Op],
    ledger: WriteLedger,
    sender: Sender,
    find: Callable[[Sequence[str]], Mapping[str, str]],
    effects: Mapping[str, Effect],
    now: datetime,
) -> tuple[str, ...]:
    """Settle what is open of one step. `find` looks keys up in the mirror, which was read since; `effects` are those of
    the targets. Answers what a person should hear of."""
    halves = [op for op in ops if op.requires is not None]
    never = [op for op in ops if op.state is OpState.PLANNED and op.requires is None]
    ledger.end_ops([OpEnd(op.id, OpState.DROPPED, now, note="the run ended before it was sent") for op in never])
    told = _settle_sent([op for op in ops if op.requires is None], ledger, sender, find, effects, now)
    _go_on(halves, ledger, sender, now)
    return told


def _settle_sent(
    ops: Sequence[Op],
    ledger: WriteLedger,
    sender: Sender,
    find: Callable[[Sequence[str]], Mapping[str, str]],
    effects: Mapping[str, Effect],
    now: datetime,
) -> tuple[str, ...]:
    sent = [op for op in ops if op.state is not OpState.PLANNED]
    again = [op for op in sent if _may_be_sent_again(op, now)]
    if again:
        sender.send(again)
    left = {op.id: op for op in sent}
    for op in again:
        result = sender.results.get(op.id)
        if result is not None and result.state.value in ("done", "failed"):
            del left[op.id]
    gone = [op for op in again if op.use == "retire" and _is_missing(sender.results.get(op.id))]
    ledger.end_ops([OpEnd(op.id, OpState.DONE, now, op.object, note="the object is gone") for op in gone])
    doubtful = [op for op in left.values() if _is_doubtful(op, sender, now)]
    return _look_up(doubtful, ledger, find, effects, now)


def _go_on(halves: Sequence[Op], ledger: WriteLedger, sender: Sender, now: datetime) -> None:
    """The second halves of replacements, whose first half is done: no comparison would find them, since the row's key
    stands for the new object by now. They take the old object out of use, which may be done any number of times."""
    ready, ends = [], []
    for op in halves:
        first = ledger.op(op.requires or "")
        state = first.state if first is not None else OpState.DROPPED
        if op.state is not OpState.PLANNED or state is OpState.DONE:
            ready.append(op)
        elif state in (OpState.FAILED, OpState.DROPPED):
            ends.append(OpEnd(op.id, OpState.DROPPED, now, note="what it requires was not done"))
    anew = [op for op in ready if op.state is not OpState.PLANNED and not _may_be_sent_again(op, now)]
    fresh = [renewed(op, sender.context.run_id, now) for op in anew]
    ends += [OpEnd(op.id, OpState.DROPPED, now, note="it is sent under another id") for op in anew]
    ledger.plan_ops(fresh)
    ledger.end_ops(ends)
    again = [op for op in ready if op not in anew]
    if again or fresh:
        sender.send([*again, *fresh])


def sent_again_until(op: Op) -> datetime | None:
    """Until when an op whose end is open may be sent again under its id. None for one of which the provider has stored
    that it failed itself: it would only repeat that."""
    stored = op.failure is not None and (op.failure.status or 0) >= 500
    return None if op.sent is None or stored else op.sent + REMEMBERED


def _may_be_sent_again(op: Op, now: datetime) -> bool:
    until = sent_again_until(op)
    return until is not None and now < until


def _is_missing(result: WriteResult | None) -> bool:
    """Whether the provider says that there is no such object: one that is to be done away with is, then."""
    return result is not None and result.failure is not None and result.failure.kind is FailureKind.MISSING


def _is_doubtful(op: Op, sender: Sender, now: datetime) -> bool:
    """Whether sending it again is no way any more: it is too old, or the provider repeats an error of its own."""
    result = sender.results.get(op.id)
    if result is None:
        return not _may_be_sent_again(op, now)
    return result.failure is not None and (result.failure.status or 0) >= 500


def _look_up(
    ops: Sequence[Op],
    ledger: WriteLedger,
    find: Callable[[Sequence[str]], Mapping[str, str]],
    effects: Mapping[str, Effect],
    now: datetime,
) -> tuple[str, ...]:
    there = find([op.key for op in ops if op.use in _MADE])
    ends, told = [], []
    for op in ops:
        if op.use in _MADE and op.key in there:
            ends.append(OpEnd(op.id, OpState.DONE, now, there[op.key], note="it was found at the provider"))
        elif op.use == "call" or (op.use in _MADE and effects.get(op.target) is Effect.MONEY):
            money = ", and it may have moved money" if effects.get(op.target) is Effect.MONEY else ""
            note = f"nobody knows whether it was done{money}"
            ends.append(OpEnd(op.id, OpState.QUARANTINED, now, note=note, failure=op.failure, request=op.request))
            told.append(f"a write of {op.key} is not known to be done or not: see `weir ops show {op.id}`")
        else:
            note = "it was not found at the provider: what is missing is written anew"
            ends.append(OpEnd(op.id, OpState.DROPPED, now, note=note, failure=op.failure, request=op.request))
    ledger.end_ops(ends)
    return tuple(told)
