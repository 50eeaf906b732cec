"""Import and transform: a box's rows into a table of the Schema."""

from __future__ import annotations

from datetime import datetime

from engine.graph import Import

from ..context import RunContext, file_name
from ..ports import BoxResult, ImportJob, ImportReport
from ..types import Outcome


def write(step: Import, context: RunContext, started: datetime) -> Outcome:
    """Run the box beside the Schema, then commit its rows in one transaction."""
    target = context.box_file(step)
    context.demand_going()
    try:
        result = context.world.boxes.run(step.box, target, context.world.limits)
        context.progress(step.id, {"read": result.rows})
        if result.rows == 0 and step.on_empty == "stop":
            return context.outcome(
                step,
                "succeeded",
                started,
                counts={"read": 0},
                message="the box has no rows: the interface ends here",
                ends_interface=True,
            )
        return _commit(step, result, context, started)
    finally:
        target.unlink(missing_ok=True)


def _commit(step: Import, result: BoxResult, context: RunContext, started: datetime) -> Outcome:
    snapshot = context.folder / f"{file_name(step.id)}.parquet" if step.snapshot else None
    job = ImportJob(
        run_id=context.run_id,
        step=step.id,
        table=step.into,
        relation=step.relation,
        key=step.key,
        action=step.action,
        match=step.match,
        mapping=step.mapping,
        reject_limit=context.world.reject_limit,
        snapshot=snapshot,
    )
    context.demand_going()
    report = context.world.tables.apply(job, result)
    return context.outcome(
        step,
        "succeeded",
        started,
        counts=counts_of(report),
        warnings=_warnings(step, report),
        rejects=report.rejects,
        snapshot=snapshot,
    )


def counts_of(report: ImportReport) -> dict[str, int]:
    """The counts of an import by name."""
    return {
        "read": report.read,
        "inserted": report.inserted,
        "updated": report.updated,
        "deleted": report.deleted,
        "unchanged": report.unchanged,
        "rejected": report.rejected,
    }


def _warnings(step: Import, report: ImportReport) -> tuple[str, ...]:
    if not report.rejected:
        return ()
    first = report.rejects[0]
    key = ", ".join(f"{name} {value}" for name, value in first.key.items())
    whose = f" ({key})" if key else ""
    return (
        f"{report.rejected} of {report.read} rows do not fit `{step.into}` and were left out, "
        f"the first{whose} because `{first.column}`: {first.problem}",
    )
