"""`respond`: rows that an API caller of the interface gets back."""

from __future__ import annotations

from datetime import datetime

from engine.graph import Respond

from ..context import RunContext, file_name
from ..outcome import Outcome
from .currencies import unknown_currency


def respond(step: Respond, context: RunContext, started: datetime) -> Outcome:
    """Run the box and keep its rows with the run, as the table `result` of a DuckDB file."""
    target = context.box_file(step)
    context.demand_going()
    result = context.world.boxes.run(step.box, target, context.world.limits)
    context.folder.mkdir(parents=True, exist_ok=True)
    kept = target.replace(context.folder / response_file(step.id))
    return context.outcome(
        step,
        "succeeded",
        started,
        counts={"rows": result.rows},
        response=kept,
        warnings=unknown_currency(result.unknown),
    )


def response_file(step: str) -> str:
    """The name of the file that keeps what a step has responded, in the run's own folder."""
    return f"{file_name(step)}.duckdb"
