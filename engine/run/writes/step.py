"""What exports and calls have in common: the rows of their box beside the mirror, references, and how they ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.graph import Call, Export

from ..context import RunContext
from ..outcome import Outcome
from ..ports.boxes import BoxResult
from ..ports.staging import Staging
from .rows import Written


@dataclass(frozen=True, slots=True)
class Opened:
    """A step that writes, begun: the rows of its box, the mirror, and a place for the comparison of the two."""

    result: BoxResult
    staging: Staging
    rows: Path


@contextmanager
def opened_step(step: Export | Call, context: RunContext) -> Iterator[Opened]:
    """Be the one step of the run that writes, and run its box. What it leaves on disk is gone at the end."""
    target = context.box_file(step)
    rows = target.with_name(f"{target.stem}.rows.duckdb")
    with context.writing(step):
        try:
            context.demand_going()
            result = context.world.boxes.run(step.box, target, context.world.limits)
            with closing(context.world.staging(context.connections[step.connection])) as staging:
                yield Opened(result, staging, rows)
        finally:
            target.unlink(missing_ok=True)
            rows.unlink(missing_ok=True)


def ends_here(step: Export | Call, opened: Opened) -> bool:
    """Whether the box has no rows, and that ends the interface."""
    return opened.result.rows == 0 and step.on_empty == "stop"


def ended_empty(step: Export | Call, context: RunContext, started: datetime) -> Outcome:
    """How a step ends whose box has no rows and that is to end its interface then."""
    message = "the box has no rows: the interface ends here"
    return context.outcome(step, "succeeded", started, counts={"rows": 0}, message=message, ends_interface=True)


def references_of(
    step: Export | Call, context: RunContext
) -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, frozenset[str]]]:
    """What the steps that this one refers to have written, and what they will have, by step name."""
    names = {column.ref for column in step.columns if column.ref is not None}
    ids = {name: f"{step.interface}.{name}" for name in names}
    ledger = context.exports.ledger
    known = {name: ledger.identities(step.connection, address) for name, address in ids.items()}
    pending: dict[str, frozenset[str]] = {}
    for name, address in ids.items():
        planned = context.planned.get(address)
        found = context.found.get(address, {})
        known[name] = {**found, **known[name]}
        if planned is not None and context.exports.only_plan:
            pending[name] = frozenset(write.key for write in planned.writes if write.use.makes_object)
    return known, pending


def outcome_of(step: Export | Call, context: RunContext, started: datetime, written: Written) -> Outcome:
    """How a step went, by how its rows went."""
    context.found[step.id] = {**written.comparison.found}
    if written.problem is None:
        return context.outcome(step, "succeeded", started, counts=written.counts, warnings=written.warnings)
    connection = step.connection
    condition = f"step = '{step.id}' AND _status NOT IN ('done', 'unchanged')"
    hint = f'weir query {connection} "SELECT * FROM weir.outcomes WHERE {condition}"'
    return context.outcome(
        step,
        "failed",
        started,
        counts=written.counts,
        code="E642",
        message=written.problem,
        hint=f"each row says how it went: {hint}",
        warnings=written.warnings,
        place=step.origin,
    )
