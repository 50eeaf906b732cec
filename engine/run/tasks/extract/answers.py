"""How many rows each question has brought: an empty answer where there were rows before is worth a look."""

from __future__ import annotations

from collections.abc import Iterable

from engine.connector import Coverage, Predicate

_Question = tuple[str, str, tuple[tuple[Predicate, ...], ...]]
"""What was asked: table, account, filter."""
_LOWEST = -(1 << 63)


class Answers:
    """The answers of a run beside those of `before`. What only goes on from before is no question of its own."""

    def __init__(self, before: Iterable[Coverage]) -> None:
        self._before = _summed(before)
        self._now: dict[_Question, tuple[int, int]] = {}

    def add(self, coverage: Iterable[Coverage]) -> None:
        """Take what a slice has covered."""
        for question, (lowest, rows) in _summed(each for each in coverage if each.continues is None).items():
            known = self._now.get(question, (lowest, 0))
            self._now[question] = (min(known[0], lowest), known[1] + rows)

    def emptied(self, tables: set[str]) -> tuple[str, ...]:
        """In words: which of these tables gave no rows to a question that brought some the last time."""
        found = []
        for question, (lowest, rows) in self._now.items():
            table, account, _ = question
            before, rows_before = self._before.get(question, (lowest, 0))
            if not rows and rows_before and before == lowest and table in tables:
                found.append((table, account, rows_before))
        return tuple(
            f"no rows in `{table}`{f' of {account}' if account else ''}, where an earlier run read {rows}"
            for table, account, rows in sorted(found)
        )


def _summed(coverage: Iterable[Coverage]) -> dict[_Question, tuple[int, int]]:
    """By question: the lower bound of its windows, and the rows in all of them. Upper bounds are the clock's."""
    found: dict[_Question, tuple[int, int]] = {}
    for each in coverage:
        question = (each.table, each.account, each.where)
        gte = _LOWEST if each.gte is None else each.gte
        lowest, rows = found.get(question, (gte, 0))
        found[question] = (min(lowest, gte), rows + each.rows)
    return found
