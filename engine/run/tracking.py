"""Tracked parameters: up to which moment an interface has seen everything, by the clocks of those it has read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from engine.graph import Extract
from engine.plan import Plan

Tracked = Mapping[str, Sequence[str]]
"""By interface: the tracked parameters to remember when the interface has succeeded."""

OVERLAP: Final = timedelta(minutes=1)
"""So much is read again by the next run: what was created in the last moments may not have been listed yet."""


def tracked_moment(plan: Plan, interface: str, read_at: Mapping[str, datetime], started: datetime) -> datetime:
    """From when on the interface's next run must look: the earliest moment at which one of its connections was read.

    `read_at` is by connection, in the provider's own time: this machine's clock may be ahead of it, and rows that are
    created in between would never be seen. An interface that reads no connection goes by `started`.
    """
    own = {task.id for task in plan.tasks if not isinstance(task.step, Extract) and task.step.interface == interface}
    connections = {
        task.step.connection
        for task in plan.tasks
        if isinstance(task.step, Extract) and any(step in own for step, _ in task.step.needs)
    }
    moments = [moment for name, moment in read_at.items() if name in connections]
    return min(moments, default=started) - OVERLAP
