"""Counts of tables that are being read, summed up over slices and told as they grow."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from engine.connector import ACCOUNT, CHANGES
from engine.plan import Task

from ...context import RunContext
from ...ports.executor import Json

_ASKED: Final = ("requests", "sent", "retries", "limited")
_ASIDE: Final = (ACCOUNT, CHANGES)
_Counts = dict[str, Counter[str]]
"""By task."""


class Progress:
    """Adds up what attempts report (see `TaskContext.report`). A parent's table counts for the task that reads it.

    Requests of no task's table stand beside the tasks: those for the account, and those for changes, with the objects
    that changes ask for of tables which no task needs. What is not known by table counts for the first task.
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

    def report(self, partition: str, totals: Mapping[str, Json]) -> None:
        """An attempt has come so far."""
        waiting = totals.get("waiting")
        counts = self._by_task(totals)
        with self._lock:
            before = self._going.get(partition, {})
            self._going[partition] = counts
            changed = [task for task in self._tasks if counts.get(task) != before.get(task)]
            shown = {task: self._sum(task) for task in changed or ([self._first] if waiting else [])}
        for task, total in shown.items():
            self._context.progress(task, total, waiting if isinstance(waiting, str) else None)

    def end(self, partition: str, totals: Mapping[str, Json]) -> None:
        """An attempt has ended; its totals are these, whatever was reported before."""
        with self._lock:
            self._going.pop(partition, None)
            for task, counts in self._by_task(totals).items():
                self._ended[task].update(counts)

    def give_up(self, partition: str) -> None:
        """An attempt has failed: what it read is lost, what it asked for was asked for."""
        with self._lock:
            for task, counts in self._going.pop(partition, {}).items():
                self._ended[task].update({name: counts[name] for name in _ASKED if name in counts})

    def count_account(self, sent: int) -> None:
        """So many requests have found out which accounts there are."""
        with self._lock:
            self._ended[ACCOUNT].update(requests=sent, sent=sent)

    def totals(self) -> dict[str, int]:
        """The totals of everything; of its requests, those that belong to no task under `CHANGES` and `ACCOUNT`."""
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

    def _by_task(self, totals: Mapping[str, Json]) -> _Counts:
        found: _Counts = {}
        by_table = {"rows": _numbers(totals.get("tables")), "requests": _numbers(totals.get("requests"))}
        for name, tables in by_table.items():
            for table, number in tables.items():
                found.setdefault(self._owners.get(table) or _aside(table), Counter())[name] += number
        for name, number in _numbers(totals.get("counts")).items():
            if not by_table.get(name):
                found.setdefault(self._first, Counter())[name] += number
        return found


def _aside(table: str) -> str:
    """Where what is read of a table counts that no task reads: it is there because of changes."""
    return ACCOUNT if table == ACCOUNT else CHANGES


def _numbers(value: Json) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {name: each for name, each in value.items() if isinstance(each, int) and not isinstance(each, bool)}
