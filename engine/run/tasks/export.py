"""Export: a box's rows become objects of the provider."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import datetime

from engine.graph import Call, Export

from ..context import RunContext
from ..exports import CompareJob, Comparison
from ..types import Outcome
from ..writes import write_rows
from ..writes.rows import Written, box_rows


def export(step: Export, context: RunContext, started: datetime) -> Outcome:
    """Compare the box's rows with what is there, and write the difference."""
    target = context.box_file(step)
    rows = target.with_name(f"{target.stem}.rows.duckdb")
    settings = context.connections[step.connection]
    with context.writing(step):
        try:
            result = box_rows(step, context)
            if result.rows == 0 and step.on_empty == "stop":
                return ended_empty(step, context, started)
            with closing(context.world.staging(settings)) as staging:

                def compare(blocked: frozenset[str]) -> Comparison:
                    references, pending = references_of(step, context)
                    ledger = context.exports.ledger
                    identities = ledger.identities(step.connection, step.id)
                    job = CompareJob(step, staging.path, rows, identities, references, pending, blocked)
                    return context.exports.comparer.compare(job, result)

                written = write_rows(step, context, staging, compare)
            return outcome_of(step, context, started, written)
        finally:
            target.unlink(missing_ok=True)
            rows.unlink(missing_ok=True)


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
            pending[name] = frozenset(write.key for write in planned.writes if write.use in ("create", "replace"))
    return known, pending


def ended_empty(step: Export | Call, context: RunContext, started: datetime) -> Outcome:
    """How a step ends whose box has no rows and that is to end its interface then."""
    message = "the box has no rows: the interface ends here"
    return context.outcome(step, "succeeded", started, counts={"rows": 0}, message=message, ends_interface=True)


def outcome_of(step: Export | Call, context: RunContext, started: datetime, written: Written) -> Outcome:
    """How a step went, by how its rows went."""
    context.found[step.id] = {**written.comparison.found}
    if written.problem is None:
        return context.outcome(step, "succeeded", started, counts=written.counts, warnings=written.warnings)
    connection = step.connection
    hint = f"weir query {connection} \"SELECT * FROM weir.outcomes WHERE step = '{step.id}' AND _status <> 'success'\""
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
