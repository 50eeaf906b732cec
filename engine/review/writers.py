"""Describes steps that write to a provider."""

from __future__ import annotations

from engine.connector import Effect, Verb
from engine.diagnostics import plural
from engine.graph import Call, Export, Graph, Use
from engine.plan import EFFECTS
from engine.spec import duration_text

from .types import Side


def writers(graph: Graph, connection: str) -> list[Export | Call]:
    """The steps that write to a connection."""
    return [step for step in graph.steps if isinstance(step, Export | Call) and step.connection == connection]


def verbs_of(step: Export | Call) -> list[tuple[Use, Verb]]:
    """The verbs that it may use, each with its use."""
    return list(step.verbs) if isinstance(step, Export) else [(Use.CALL, step.verb)]


def described(step: Export | Call, side: Side) -> str:
    """The step's writes, requests, limits and schedule."""
    if isinstance(step, Export):
        fields = ", ".join(f"`{column.path}`" for column in step.columns) or "no field"
        found = ", ".join(f"`{column.path}`" for column in step.match)
        gone = "" if step.on_missing == "keep" else f"; objects whose row no longer exists: {step.on_missing}"
        what = f"{step.action} of `{step.entity}` ({fields}; matched by {found}{gone})"
    else:
        what = f"`{step.function}` per row of its box"
    requests = ", ".join(f"{use} `{verb.request}`{_effect(verb)}" for use, verb in verbs_of(step))
    return f"`{step.id}`: {what}; {requests}; {_bounded(step)}{_written(step, side)}; {_started(step, side)}"


def _written(step: Export | Call, side: Side) -> str:
    number = side.written.get(step.id)
    return "" if number is None else f" (last run: {number:,})"


def _started(step: Export | Call, side: Side) -> str:
    spec = side.project.interfaces[step.interface].spec
    if not spec.is_active:
        return "its interface is inactive"
    if spec.schedule is None:
        return "runs on request"
    if spec.schedule.every is not None:
        return f"runs every {duration_text(spec.schedule.every)}"
    return f"runs at `{spec.schedule.cron}` ({spec.schedule.timezone})"


def _bounded(step: Export | Call) -> str:
    caps = step.caps
    parts = [
        f"at most {plural(caps.max_writes, 'write')} per run" if caps.max_writes is not None else "no limit on writes"
    ]
    if caps.max_deletes is not None:
        parts.append(f"at most {plural(caps.max_deletes, 'retired object')}")
    return ", ".join(parts)


def _effect(verb: Verb) -> str:
    return f" (**{EFFECTS[verb.effect]}**)" if verb.effect in (Effect.MONEY, Effect.FINAL, Effect.MESSAGE) else ""
