"""Import and transform: a box's rows into a table of the Schema."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.connector import MirrorInstant
from engine.graph import Import
from engine.plan import Watermark, parts_of, reason_for_all, reason_of_mirror

from ..context import RunContext, file_name
from ..outcome import Outcome
from ..ports.boxes import BoxResult
from ..ports.tables import ImportJob, ImportReport
from .currencies import unknown_currency


@dataclass(frozen=True, slots=True)
class _Changed:
    """What a step that reads changed rows has seen. `reason` is why all of them count as changed."""

    before: Watermark | None
    parts: dict[str, str]
    reason: str | None

    @property
    def since(self) -> MirrorInstant | None:
        return self.before.at if self.before is not None and self.reason is None else None

    def why_all(self, seen: MirrorInstant | None) -> str | None:
        """Why the box has seen all rows, if it has."""
        if self.reason is None and self.before is not None:
            return reason_of_mirror(self.before, seen)
        return self.reason


def write(step: Import, context: RunContext, started: datetime) -> Outcome:
    """Run the box beside the Schema, then commit its rows in one transaction, with what it has seen."""
    target = context.box_file(step)
    context.demand_going()
    try:
        changed = _changed(step, context)
        since = changed.since if changed is not None else None
        result = context.world.boxes.run(step.box, target, context.world.limits, since)
        context.progress(step.id, {"read": result.rows})
        if result.rows == 0 and step.on_empty == "stop":
            return context.outcome(
                step,
                "succeeded",
                started,
                counts={"read": 0},
                message="the box has no rows: the interface ends here",
                ends_interface=True,
                warnings=unknown_currency(result.unknown),
            )
        return _commit(step, result, changed, context, started)
    finally:
        target.unlink(missing_ok=True)


def _changed(step: Import, context: RunContext) -> _Changed | None:
    """What the step has seen before, if it reads changed rows."""
    if not step.fingerprint or step.connection is None:
        return None
    parts = parts_of(step, context.connections[step.connection])
    before = context.world.tables.watermark(step.id)
    asked = "it was asked for" if context.world.rebuild else None
    return _Changed(before, parts, asked or reason_for_all(before, parts, step.into))


def _commit(
    step: Import, result: BoxResult, changed: _Changed | None, context: RunContext, started: datetime
) -> Outcome:
    snapshot = context.folder / f"{file_name(step.id)}.parquet" if step.snapshot else None
    why_all = changed.why_all(result.seen) if changed is not None else None
    mark = None
    if changed is not None and result.seen is not None:
        mark = Watermark(step.id, context.run_id, result.seen, changed.parts)
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
        watermark=mark,
        whole=changed is None or why_all is not None,
    )
    context.demand_going()
    report = context.world.tables.apply(job, result)
    again = changed is not None and changed.before is not None and why_all is not None
    return context.outcome(
        step,
        "succeeded",
        started,
        counts=counts_of(report),
        message=f"rebuilt from all rows: {why_all}" if again else None,
        warnings=(*_warnings(step, report), *unknown_currency(result.unknown, report.unknown)),
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
