"""The requests of runs to connections."""

from __future__ import annotations

from math import ceil
from typing import Final

from engine.diagnostics import plural
from engine.graph import Extract
from engine.plan import Plan

from .types import Cost, RequestEstimate, Side

_PAGE: Final = 100
"""Maximum number of rows that a list request returns."""


def costs_of(before: Side, after: Side) -> tuple[Cost, ...]:
    """By connection, the requests of a run of all interfaces on both sides, without connections that are not read."""
    names = sorted({connection.name for side in (before, after) for connection in side.plan.connections})
    found = [Cost(name, requests_of(before.plan, name), requests_of(after.plan, name)) for name in names]
    return tuple(cost for cost in found if cost.before is not None or cost.after is not None)


def requests_of(plan: Plan, connection: str) -> RequestEstimate | None:
    """The requests of a run of the plan to a connection; None if it reads nothing from it."""
    own = [task for task in plan.tasks if isinstance(task.step, Extract) and task.step.connection == connection]
    if not own:
        return None
    requests = [task.estimate.requests for task in own]
    requests += [each.estimate.requests for each in plan.beside if each.connection == connection]
    unknown = [task.step.table for task in own if isinstance(task.step, Extract) and task.estimate.requests is None]
    return RequestEstimate(sum(number or 0 for number in requests), tuple(unknown))


def tables_read(plan: Plan, connection: str) -> frozenset[str]:
    """The tables of the connection that a run reads."""
    steps = [task.step for task in plan.tasks]
    return frozenset(step.table for step in steps if isinstance(step, Extract) and step.connection == connection)


def full_read(side: Side, connection: str, table: str) -> str:
    """The cost of reading all of a table, in words."""
    rows = side.rows.get(connection, {}).get(table)
    if rows is None:
        return "requests are known after its first run"
    requests = max(1, ceil(rows / _PAGE))
    return f"{plural(rows, 'row')}, about {plural(requests, 'request')}"
