"""Steps that write to a provider, in words."""

from __future__ import annotations

from engine.connector import Effect, Verb
from engine.graph import Call, Export, Graph
from engine.plan import EFFECTS
from engine.spec import duration_text

from .types import Side


def writers(graph: Graph, connection: str) -> list[Export | Call]:
    """The steps that write to a connection."""
    return [step for step in graph.steps if isinstance(step, Export | Call) and step.connection == connection]


def verbs_of(step: Export | Call) -> list[tuple[str, Verb]]:
    """All that it may come to use, by what for."""
    return list(step.verbs) if isinstance(step, Export) else [("call", step.verb)]


def described(step: Export | Call, side: Side) -> str:
    """What it does, by which requests, what bounds it, and when it runs."""
    if isinstance(step, Export):
        fields = ", ".join(f"`{column.path}`" for column in step.columns) or "no field"
        found = ", ".join(f"`{column.path}`" for column in step.match)
        gone = "" if step.on_missing == "keep" else f", and objects whose row is gone: {step.on_missing}"
        what = f"{step.action} of `{step.entity}` ({fields}; found by {found}{gone})"
    else:
        what = f"`{step.function}` for each row of its box"
    requests = ", ".join(f"{use} `{verb.request}`{_effect(verb)}" for use, verb in verbs_of(step))
    return f"`{step.id}`: {what}; {requests}; {_bounded(step)}{_written(step, side)}; {_started(step, side)}"


def _written(step: Export | Call, side: Side) -> str:
    number = side.written.get(step.id)
    return "" if number is None else f" (the last one made {number:,})"


def _started(step: Export | Call, side: Side) -> str:
    spec = side.project.interfaces[step.interface].spec
    if not spec.is_active:
        return "its interface is not active"
    if spec.schedule is None:
        return "runs when somebody asks for it"
    if spec.schedule.every is not None:
        return f"runs every {duration_text(spec.schedule.every)}"
    return f"runs by `{spec.schedule.cron}` ({spec.schedule.timezone})"


def _bounded(step: Export | Call) -> str:
    caps = step.caps
    parts = [f"at most {caps.max_writes:,} writes a run" if caps.max_writes is not None else "no bound on its writes"]
    if caps.max_deletes is not None:
        parts.append(f"at most {caps.max_deletes:,} objects done away with")
    return ", ".join(parts)


def _effect(verb: Verb) -> str:
    return f" (**{EFFECTS[verb.effect]}**)" if verb.effect in (Effect.MONEY, Effect.FINAL, Effect.MESSAGE) else ""
