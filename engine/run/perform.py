"""One unit of a run, done: whatever happens becomes an outcome."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from engine.connector import ConnectorError
from engine.graph import Call, Export, Extract, Import, Respond, StopIf
from engine.plan import Task

from .context import RunContext, StoppedError, TaskError, place_of
from .outcome import Outcome
from .ports.boxes import BoxError
from .ports.tables import StoreError
from .schedule import Unit
from .tasks.call import call
from .tasks.export import export
from .tasks.extract.extract import extract
from .tasks.import_rows import write
from .tasks.respond import respond
from .tasks.stop import stop_if


def perform(unit: Unit, context: RunContext) -> tuple[Outcome, ...]:
    """Do a unit's tasks and say how each ended. Never raises: a mistake of ours is an outcome, too (E629)."""
    started = {task.id: context.begin(task.step) for task in unit.tasks}
    try:
        outcomes = _perform(unit, context, started)
    except Exception as error:  # noqa: BLE001 - one task's end must not be another's
        outcomes = tuple(_failed(task, error, context, started[task.id]) for task in unit.tasks)
    for outcome in outcomes:
        context.tell(outcome)
    return outcomes


def _perform(unit: Unit, context: RunContext, started: dict[str, datetime]) -> tuple[Outcome, ...]:
    task = unit.tasks[0]
    match task.step:
        case Extract():
            return extract(unit.tasks, context, started)
        case Import():
            return (write(task.step, context, started[task.id]),)
        case StopIf():
            return (stop_if(task.step, context, started[task.id]),)
        case Respond():
            return (respond(task.step, context, started[task.id]),)
        case Export():
            return (export(task.step, context, started[task.id]),)
        case Call():
            return (call(task.step, context, started[task.id]),)
        case _:
            assert_never(task.step)


def _failed(task: Task, error: Exception, context: RunContext, started: datetime) -> Outcome:
    step, place = task.step, place_of(task.step)
    match error:
        case StoppedError():
            return context.outcome(step, "stopped", started, message=str(error))
        case BoxError() if context.is_stopping():
            return context.outcome(step, "stopped", started, message="the run was stopped")
        case BoxError():
            hint = (
                f"the box came to the limit `{error.limit}`: read less, or raise it in weir.yaml"
                if error.limit
                else None
            )
            box = None if isinstance(step, Extract) else step.box.place
            return context.outcome(
                step, "failed", started, code="E620", message=error.reason, hint=hint, place=box or place
            )
        case ConnectorError():
            failure = error.failure
            return context.outcome(
                step, "failed", started, code="E621", message=failure.message, hint=failure.hint, failure=failure
            )
        case StoreError() | TaskError():
            return context.outcome(
                step, "failed", started, code=error.code, message=error.message, hint=error.hint, place=place
            )
        case _:
            message = f"unexpected {type(error).__name__}: {error}"
            hint = "this is a mistake in Weir: please report it with the command and this message"
            return context.outcome(step, "failed", started, code="E629", message=message, hint=hint, place=place)
