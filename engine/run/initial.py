"""Rows that a caller gives, written before anything else of the run is done."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from engine.graph import Action, MapColumn

from .context import RunContext, StoppedError, file_name
from .outcome import Outcome, Status
from .ports.tables import ImportJob, InitialRows, StoreError
from .tasks.import_rows import counts_of

GIVEN_ROWS: Final = "rows"


def initialise(context: RunContext) -> list[Outcome]:
    """Write what the tables of the Schema are to begin with. Nothing else is to be done when one has failed."""
    outcomes = []
    for given in context.world.initial:
        outcomes.append(_initialised(given, context))
        if outcomes[-1].status != "succeeded":
            break
    return outcomes


def _initialised(given: InitialRows, context: RunContext) -> Outcome:
    started = context.world.now()
    step = f"{GIVEN_ROWS}.{given.table}"
    target = context.spool / "boxes" / f"{file_name(step)}.duckdb"

    def ended(status: Status, **known: Any) -> Outcome:
        now: datetime = context.world.now()
        return Outcome(step, GIVEN_ROWS, f"rows of the caller: {given.table}", None, status, started, now, **known)

    try:
        context.demand_going()
        job = ImportJob(
            run_id=context.run_id,
            step=step,
            table=given.table,
            relation=given.relation,
            key=given.key,
            action=Action.REPLACE,
            match=tuple((name, name) for name in given.key),
            mapping=tuple(MapColumn(name, source=name) for name in given.relation.names),
            reject_limit=0,
            snapshot=None,
        )
        report = context.world.tables.apply(job, given.put(target))
    except StoppedError as error:
        outcome = ended("stopped", message=str(error))
    except StoreError as error:
        outcome = ended("failed", code=error.code, message=error.message, hint=error.hint)
    else:
        outcome = ended("succeeded", counts=counts_of(report))
    finally:
        target.unlink(missing_ok=True)
    context.tell(outcome)
    return outcome
