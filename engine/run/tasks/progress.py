"""Counts of tables that are being read, summed up and told as they grow."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from engine.plan import Task

from ..context import RunContext
from ..executor import Json


class Progress:
    """Adds up what partitions report. A parent's table counts for the task that reads it."""

    def __init__(self, tasks: Sequence[Task], context: RunContext) -> None:
        self._context = context
        self._owners = {read.table: task.id for task in tasks for read in task.reads}
        self._first = tasks[0].id
        self._totals: dict[str, dict[str, int]] = {task.id: {"requests": 0, "rows": 0} for task in tasks}
        self._lock = threading.Lock()

    def add(self, counts: Mapping[str, Json]) -> None:
        """Add increments of one table and tell the new totals."""
        task = self._owners.get(str(counts.get("table")), self._first)
        waiting = counts.get("waiting")
        with self._lock:
            totals = self._totals[task]
            for name, value in counts.items():
                if isinstance(value, int) and not isinstance(value, bool):
                    totals[name] = totals.get(name, 0) + value
            shown = dict(totals)
        self._context.progress(task, shown, waiting if isinstance(waiting, str) else None)

    def counts(self, task: str) -> dict[str, int]:
        """The totals of a task."""
        with self._lock:
            return dict(self._totals[task])
