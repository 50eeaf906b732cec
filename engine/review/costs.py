"""What runs ask of connections."""

from __future__ import annotations

from math import ceil
from typing import Final

from engine.graph import Extract
from engine.plan import Plan

from .types import Asked, Cost, Side

_PAGE: Final = 100
"""Rows that a request for a list answers at most."""


def costs_of(before: Side, after: Side) -> tuple[Cost, ...]:
    """By connection, what a run of everything asks on both sides; those that no run asks are left out."""
    names = sorted({connection.name for side in (before, after) for connection in side.plan.connections})
    found = [Cost(name, asked(before.plan, name), asked(after.plan, name)) for name in names]
    return tuple(cost for cost in found if cost.before is not None or cost.after is not None)


def asked(plan: Plan, connection: str) -> Asked | None:
    """What a run of the plan asks of a connection."""
    own = [task for task in plan.tasks if isinstance(task.step, Extract) and task.step.connection == connection]
    if not own:
        return None
    requests = [task.estimate.requests for task in own]
    requests += [each.estimate.requests for each in plan.beside if each.connection == connection]
    unknown = [task.step.table for task in own if isinstance(task.step, Extract) and task.estimate.requests is None]
    return Asked(sum(number or 0 for number in requests), tuple(unknown))


def tables_read(plan: Plan, connection: str) -> frozenset[str]:
    """The tables that a run reads."""
    steps = [task.step for task in plan.tasks]
    return frozenset(step.table for step in steps if isinstance(step, Extract) and step.connection == connection)


def whole(side: Side, connection: str, table: str) -> str:
    """What it takes to read all of a table, in words."""
    rows = side.rows.get(connection, {}).get(table)
    if rows is None:
        return "how many requests is known after its first run"
    requests = max(1, ceil(rows / _PAGE))
    return f"{rows:,} rows, about {requests:,} request{'s' if requests != 1 else ''}"
