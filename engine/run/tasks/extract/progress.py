"""Counts of tables that are being read, summed over slices and reported as they grow."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Final

from engine.connector import ACCOUNT, CHANGES, SliceTotals
from engine.plan import Task

from ...context import RunContext

_ASKED: Final = ("requests", "sent", "retries", "limited")
_ASIDE: Final = (ACCOUNT, CHANGES)
_Counts = dict[str, Counter[str]]
"""By task."""


class Progress:
    """Adds up what attempts report. A parent's table counts for the task that reads it.

    Requests for tables of no task are counted apart from the tasks: those for the account, and those for changes, with
    the objects of tables which no task needs. What is not known by table counts for the first task.
    """

    def __init__(self, tasks: Sequence[Task], context: RunContext) -> None:
        self._context = context
        self._owners = {read.table: task.id for task in tasks for read in task.reads}
        self._first = tasks[0].id
        self._tasks = tuple(task.id for task in tasks)
        self._ended: _Counts = {task.id: Counter(requests=0, rows=0) for task in tasks}
        self._ended |= {aside: Counter() for aside in _ASIDE}
        self._going: dict[str, _Counts] = {}
        self._lock = threading.Lock()

    def report(self, partition: str, totals: SliceTotals) -> None:
        """Record and show how far an attempt is."""
        counts = self._by_task(totals)
        with self._lock:
            before = self._going.get(partition, {})
            self._going[partition] = counts
            changed = [task for task in self._tasks if counts.get(task) != before.get(task)]
            shown = {task: self._sum(task) for task in changed or ([self._first] if totals.waiting else [])}
        for task, total in shown.items():
            self._context.progress(task, total, totals.waiting)

    def end(self, partition: str, totals: SliceTotals) -> None:
        """Record the final totals of an attempt, in place of what was reported before."""
        with self._lock:
            self._going.pop(partition, None)
            for task, counts in self._by_task(totals).items():
                self._ended[task].update(counts)

    def give_up(self, partition: str) -> None:
        """Record that an attempt failed: the rows that it read are lost, the requests that it made count."""
        with self._lock:
            for task, counts in self._going.pop(partition, {}).items():
                self._ended[task].update({name: counts[name] for name in _ASKED if name in counts})

    def count_account(self, sent: int) -> None:
        """Count the requests that listed the accounts."""
        with self._lock:
            self._ended[ACCOUNT].update(requests=sent, sent=sent)

    def totals(self) -> dict[str, int]:
        """The totals of everything; requests of no task are under `CHANGES` and `ACCOUNT` besides."""
        with self._lock:
            total: Counter[str] = Counter()
            for each in self._ended:
                total.update(self._sum(each))
            return {**total, **{aside: self._sum(aside).get("requests", 0) for aside in _ASIDE}}

    def counts(self, task: str) -> dict[str, int]:
        """The totals of a task."""
        with self._lock:
            return self._sum(task)

    def _sum(self, task: str) -> dict[str, int]:
        total = Counter(self._ended[task])
        for going in self._going.values():
            total.update(going.get(task, {}))
        return dict(total)

    def _by_task(self, totals: SliceTotals) -> _Counts:
        found: _Counts = {}
        by_table = {"rows": totals.tables, "requests": totals.requests}
        for name, tables in by_table.items():
            for table, number in tables.items():
                found.setdefault(self._owners.get(table) or _aside(table), Counter())[name] += number
        for name, number in totals.counts.items():
            if not by_table.get(name):
                found.setdefault(self._first, Counter())[name] += number
        return found


def _aside(table: str) -> str:
    """What a table of no task counts for: it is read because of changes."""
    return ACCOUNT if table == ACCOUNT else CHANGES
