"""`stop_if`: end the interface here, when the box says so."""

from __future__ import annotations

from datetime import datetime

from engine.graph import StopIf

from ..context import RunContext, TaskError
from ..outcome import Outcome
from .currencies import unknown_currency


def stop_if(step: StopIf, context: RunContext, started: datetime) -> Outcome:
    """Ask the box for its single value. NULL means false, as in a WHERE."""
    target = context.box_file(step)
    context.demand_going()
    try:
        result = context.world.boxes.run(step.box, target, context.world.limits)
        rows = context.world.fetch(result, 2)
    finally:
        target.unlink(missing_ok=True)
    if len(rows) != 1 or len(rows[0]) != 1:
        raise TaskError("E623", f"`stop_if` expects one row with one value, got {result.rows} rows")
    value = rows[0][0]
    if value is not None and not isinstance(value, bool):
        raise TaskError("E623", "`stop_if` expects true or false", "compare: SELECT count(*) = 0 FROM …")
    warnings = unknown_currency(result.unknown)
    if not value:
        return context.outcome(step, "succeeded", started, warnings=warnings)
    message = "true: the interface ends here"
    return context.outcome(step, "succeeded", started, message=message, ends_interface=True, warnings=warnings)
