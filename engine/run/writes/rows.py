"""One step that writes to a provider, from its box's rows to their outcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from engine.connector import Effect, WriteResult, WriteState
from engine.graph import Call, Export, Use
from engine.plan import PlannedWrite, StepWrites, compare_writes

from ..context import RunContext, TaskError
from ..environment import Exports
from ..ports.compare import Comparison
from ..ports.ledger import Op, WriteLedger
from ..ports.staging import RowOutcome, RowStatus, Staging
from .bounds import demand_bounds
from .ops import make_ops
from .send import Sender
from .settle import settle

Compare = Callable[[frozenset[str]], Comparison]
"""Compares, given the keys of which a write is not settled."""

_WORDS = {use.value: use.label for use in Use}


@dataclass(frozen=True, slots=True)
class Written:
    """How a step went."""

    comparison: Comparison
    counts: Mapping[str, int]
    warnings: tuple[str, ...]
    problem: str | None
    """Why not everything is as the rows say; None: it is."""


def write_rows(step: Export | Call, context: RunContext, staging: Staging, compare: Compare) -> Written:
    """Settle what is open, compare, and write, or only say what would be written. `TaskError` when that is refused."""
    exports, ledger = context.exports, context.exports.ledger
    settings = context.connections[step.connection]
    sender = Sender(step.id, step.connection, context, exports.writer(settings), ledger, staging, step.caps)
    told: tuple[str, ...] = ()
    if not exports.only_plan:
        told = _settle(step, context, sender, exports)
    comparison = compare(ledger.blocked(step.connection, step.id))
    context.planned[step.id] = comparison.writes
    _demand_plan(comparison.writes, exports.expected)
    if exports.only_plan:
        told = (*told, *_passed_bounds(comparison.writes, step))
        return Written(comparison, _planned_counts(comparison.writes), told, None)
    demand_bounds(comparison.writes, step.caps)
    context.demand_going()
    now = context.world.now()
    if isinstance(step, Export) and step.on_missing != "keep":
        ledger.remember(step.connection, step.id, comparison.found.items(), now)
    ops = list(make_ops(comparison.writes.writes, context.run_id, step.id, step.connection, now))
    ledger.plan_ops([op for op, _ in ops])
    if ops:
        sender.send([op for op, _ in ops])
    outcomes = _outcomes(ops, sender, now)
    staging.keep_outcomes(comparison.path, context.run_id, step.id, outcomes, context.world.now())
    counts = _counts(comparison.writes, ops, sender)
    return Written(comparison, counts, told, _problem(counts, sender, comparison.writes))


def _settle(step: Export | Call, context: RunContext, sender: Sender, exports: Exports) -> tuple[str, ...]:
    ledger: WriteLedger = context.exports.ledger
    sender.stage_left(ledger.unstaged(step.connection))
    left = [op for op in ledger.open_ops(step.connection) if op.step == step.id]
    if not left:
        return ()
    verbs = dict(step.verbs) if isinstance(step, Export) else {"call": step.verb}
    effects: Mapping[str, Effect] = {verb.name: verb.effect for verb in verbs.values()}

    def find(keys: Sequence[str]) -> Mapping[str, str]:
        return exports.comparer.find(step, sender.staging.path, keys) if isinstance(step, Export) else {}

    told = settle(left, ledger, sender, find, effects, context.world.now())
    sender.watch.reason = None
    return told


def _demand_plan(now: StepWrites, expected: Mapping[str, StepWrites] | None) -> None:
    """`TaskError` E640 when something else would be written than what was planned."""
    if expected is None:
        return
    planned = expected.get(now.step)
    if planned is None:
        raise TaskError("E640", "the plan does not have this step: nothing was written", "plan it again")
    differences = compare_writes(planned, now)
    if differences:
        first = "; ".join(each.what for each in differences[:3])
        more = f"; and {len(differences) - 3} more" if len(differences) > 3 else ""
        raise TaskError(
            "E640",
            f"what would be written is not what was planned: {first}{more}: nothing was written",
            "plan again with `weir plan --live --out FILE`, and look at what has changed",
        )


def _passed_bounds(writes: StepWrites, step: Export | Call) -> tuple[str, ...]:
    """Why a run would refuse these writes, if it would."""
    try:
        demand_bounds(writes, step.caps)
    except TaskError as error:
        return (f"a run would refuse this: {error.message.removesuffix(': nothing was written')}",)
    return ()


def _planned_counts(writes: StepWrites) -> dict[str, int]:
    uses = {f"to {use}": writes.count(use) for use in Use}
    kept = {name: number for name, number in uses.items() if number}
    return {"rows": writes.rows, **kept, "unchanged": writes.unchanged, "refused": writes.refused}


def _outcomes(ops: Sequence[tuple[Op, PlannedWrite]], sender: Sender, now: datetime) -> list[RowOutcome]:
    """The outcome of each row. A replacement has two writes: the one that is not done counts."""
    found: dict[int, RowOutcome] = {}
    others: list[RowOutcome] = []
    for op, write in ops:
        outcome = _outcome(op, write, sender, now)
        if write.row is None:
            others.append(outcome)
        elif write.row not in found or outcome.status is not RowStatus.DONE:
            found[write.row] = outcome
    return [*found.values(), *others]


def _outcome(op: Op, write: PlannedWrite, sender: Sender, now: datetime) -> RowOutcome:
    result = sender.results.get(op.id)
    status = _status_of(result)
    outcome = RowOutcome(write.row, write.key, status, "", write.object, now, op.id)
    if result is None or status is RowStatus.UNSENT:
        reason = sender.watch.reason or (result.failure.message if result and result.failure else "the run was stopped")
        return replace(outcome, message=f"not sent: {reason}")
    at = result.answered or now
    if status is RowStatus.DONE:
        words = f"{_WORDS.get(op.use, op.use)}" + (": " + _fields(write) if write.use is Use.UPDATE else "")
        entity = result.object or write.object
        return replace(outcome, message=words, entity_id=entity, time=at, request=result.request)
    message = result.failure.message if result.failure is not None else "no answer"
    if status is RowStatus.UNKNOWN:
        message = f"unknown outcome: {message}"
    return replace(outcome, message=message, time=at, failure=result.failure)


def _status_of(result: WriteResult | None) -> RowStatus:
    match result.state if result is not None else WriteState.UNSENT:
        case WriteState.DONE:
            return RowStatus.DONE
        case WriteState.FAILED:
            return RowStatus.FAILED
        case WriteState.UNKNOWN:
            return RowStatus.UNKNOWN
        case WriteState.UNSENT:
            return RowStatus.UNSENT
        case state:
            assert_never(state)


def _fields(write: PlannedWrite) -> str:
    return ", ".join(change.path for change in write.changes)


def _counts(writes: StepWrites, ops: Sequence[tuple[Op, PlannedWrite]], sender: Sender) -> dict[str, int]:
    counts = {"rows": writes.rows}
    for op, _ in ops:
        status = _status_of(sender.results.get(op.id))
        word = _WORDS.get(op.use, "") if status is RowStatus.DONE else status.value
        if word:
            counts[word] = counts.get(word, 0) + 1
    counts |= {"unchanged": writes.unchanged, "refused": writes.refused}
    made = sender.counts
    return counts | {"writes": made.requests, "retries": made.retries, "limited": made.limited}


def _problem(counts: Mapping[str, int], sender: Sender, writes: StepWrites) -> str | None:
    bad = (RowStatus.FAILED, RowStatus.UNKNOWN, RowStatus.UNSENT, RowStatus.REFUSED)
    parts = [f"{counts[status]:,} {status}" for status in bad if counts.get(status)]
    if not parts:
        return None
    example = _example(sender, writes)
    reason = sender.watch.reason
    why = f"; {reason}" if reason else f"; the first: {example}" if example else ""
    return f"of {writes.rows:,} rows {', '.join(parts)}{why}"


def _example(sender: Sender, writes: StepWrites) -> str | None:
    for result in sender.results.values():
        if result.failure is not None and result.state is not WriteState.DONE:
            return result.failure.message
    return writes.refusals[0].problem if writes.refusals else None
