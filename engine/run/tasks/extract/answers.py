"""How many rows each question returned: an empty answer where an earlier run found rows is worth a warning."""

from __future__ import annotations

from collections.abc import Iterable

from engine.connector import Coverage, Predicate, Window

_Question = tuple[str, str, tuple[tuple[Predicate, ...], ...]]
"""What was asked: table, account, filter."""


class Answers:
    """The answers of a run compared with those of `before`. A read that continues one of before is not a question."""

    def __init__(self, before: Iterable[Coverage]) -> None:
        self._before = _summed(before)
        self._now: dict[_Question, tuple[Window, int]] = {}

    def add(self, coverage: Iterable[Coverage]) -> None:
        """Add what a slice covered."""
        for question, (window, rows) in _summed(each for each in coverage if each.continues is None).items():
            known, rows_known = self._now.get(question, (window, 0))
            self._now[question] = (known.hull(window), rows_known + rows)

    def emptied(self, tables: set[str]) -> tuple[str, ...]:
        """Warnings for those of `tables` that returned no rows to a question that returned some the last time."""
        found = []
        for question, (window, rows) in self._now.items():
            table, account, _ = question
            before, rows_before = self._before.get(question, (window, 0))
            # Upper bounds are the clock's: they differ between the same questions of two runs.
            if not rows and rows_before and before.gte == window.gte and table in tables:
                found.append((table, account, rows_before))
        return tuple(
            f"no rows in `{table}`{f' of {account}' if account else ''}, where an earlier run read {rows}"
            for table, account, rows in sorted(found)
        )


def _summed(coverage: Iterable[Coverage]) -> dict[_Question, tuple[Window, int]]:
    """By question: the hull of its windows, and the rows in all of them."""
    found: dict[_Question, tuple[Window, int]] = {}
    for each in coverage:
        question = (each.table, each.account, each.where)
        window, rows = found.get(question, (each.window, 0))
        found[question] = (window.hull(each.window), rows + each.rows)
    return found
