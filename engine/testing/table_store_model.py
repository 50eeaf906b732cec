"""A model of a table: what each action does with a few rows, written as plainly as possible."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from engine.graph import Action

from .table_store_bench import Row


class DuplicateKeyError(Exception):
    """Two rows of the box have the same key: the step fails."""


@dataclass
class ModelledChange:
    """What a step is expected to report. `rejects` are (key, column) in the order of the box."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    rejects: list[tuple[str, str]] = field(default_factory=list)

    @property
    def counts(self) -> tuple[int, int, int, int, int]:
        """As `table_store_bench.counts` of the report."""
        return self.inserted, self.updated, self.deleted, self.unchanged, len(self.rejects)


@dataclass
class TableModel:
    """The table `customers` with the columns id (required), name (required) and visits (an integer)."""

    rows: dict[str, tuple[str, int | None]] = field(default_factory=dict)

    def apply(self, action: Action, box: Sequence[Row]) -> ModelledChange:
        """Change the rows as the action does. `DuplicateKeyError`: nothing has changed."""
        if action is Action.DELETE:
            return self._delete(box)
        keys = Counter(row[0] for row in box if row[0] is not None and _misfit(row) is None)
        if any(number > 1 for number in keys.values()):
            raise DuplicateKeyError
        change = ModelledChange()
        if action is Action.REPLACE:
            kept = {row[0] for row in box}
            for key in [key for key in self.rows if key not in kept]:
                del self.rows[key]
                change.deleted += 1
        for row in box:
            self._write(action, row, change)
        return change

    def _delete(self, box: Sequence[Row]) -> ModelledChange:
        keys = {row[0] for row in box if row[0] in self.rows}
        for key in keys:
            del self.rows[str(key)]
        return ModelledChange(deleted=len(keys))

    def _write(self, action: Action, row: Row, change: ModelledChange) -> None:
        key, name, visits = row
        if column := _misfit(row):
            change.rejects.append((str(key or "NULL"), column))
            return
        value = (name, None if visits is None else int(visits))
        is_present = key in self.rows
        if is_present and self.rows[str(key)] == value:
            change.unchanged += 1
            return
        match action:
            case Action.INSERT if is_present:
                change.rejects.append((str(key), "id"))
            case Action.UPDATE if not is_present:
                return
            case Action.INSERT | Action.UPDATE | Action.UPSERT | Action.REPLACE:
                if key is None or name is None:
                    change.rejects.append((key or "NULL", "id" if key is None else "name"))
                    return
                self.rows[key] = (name, value[1])
                change.updated += is_present
                change.inserted += not is_present
            case Action.DELETE:
                raise AssertionError("a delete writes no row")
            case _:
                assert_never(action)


def _misfit(row: Row) -> str | None:
    """The column whose value does not fit its type."""
    return "visits" if row[2] is not None and not row[2].isdigit() else None


def random_boxes(seed: int, number: int) -> list[tuple[Action, list[Row]]]:
    """Steps with a few rows each: few keys, so that rows meet; now and then a missing or wrong value."""
    chance = random.Random(seed)  # noqa: S311 - test data
    steps: list[tuple[Action, list[Row]]] = []
    for _ in range(number):
        keys: list[str | None] = [*"abcdef"]
        chance.shuffle(keys)
        rows: list[Row] = [_random_row(chance, key) for key in keys[: chance.randint(0, 5)]]
        if chance.random() < 0.1:
            rows.append(_random_row(chance, None))
        if rows and chance.random() < 0.1:
            rows.append(_random_row(chance, rows[0][0]))
        steps.append((chance.choice(list(Action)), rows))
    return steps


def _random_row(chance: random.Random, key: str | None) -> Row:
    name = chance.choice(["Ada", "Bob", "Ada", "Bob", "Ada", None])
    return key, name, chance.choice(["1", "2", "1", "2", None, "many"])
