"""Comparing a mirror with rows that were read to verify it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.duck import TableDifference, compare_tables
from engine.duck.staging.staging import DuckStaging
from tests.support.duck.staged import ACCOUNT, at_minute, catalogue, spool, stored, table

MINUTES = {"mirror": 5, "provider": 4}
BEFORE, AFTER = 5, 6


class Sides:
    """Two staging files: the mirror, read at minute 5, and the verification read of minute 4."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "spool"
        self._folder.mkdir()
        self._files = {name: DuckStaging(folder / f"{name}.duckdb", catalogue()) for name in MINUTES}

    def hold(self, mirror: dict[str, int], provider: dict[str, int]) -> None:
        """Load the charges of both sides, given the amount of each."""
        for name, amounts in (("mirror", mirror), ("provider", provider)):
            page = [{"id": key, "created": 1_700_000_000, "amount": amount} for key, amount in amounts.items()]
            self._files[name].load([spool(self._folder, [page])], [], at_minute(MINUTES[name]))

    def compare(self, since: int) -> TableDifference:
        """Compare; rows that the mirror read since that minute count as changed meanwhile."""
        mirror, provider = (self._files[name].path for name in ("mirror", "provider"))
        (found,) = compare_tables(mirror, provider, ACCOUNT, [(table(), ((),))], stored(since))
        return found


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    return Sides(tmp_path)


def test_compare_counts_each_kind_of_difference(sides: Sides) -> None:
    sides.hold({"same": 1, "odd": 2, "surplus": 3}, {"same": 1, "odd": 20, "missing": 4, "lost": 5})
    found = sides.compare(AFTER)
    assert (found.rows, found.missing, found.surplus, found.differing, found.changed) == (3, 2, 1, 1, 0)
    assert found.samples == ("lost", "missing", "odd", "surplus")
    assert not found.same


def test_row_changed_meanwhile_is_skipped_and_counted(sides: Sides) -> None:
    sides.hold({"same": 1, "edited": 2, "made": 3}, {"same": 1, "edited": 20})
    found = sides.compare(BEFORE)
    assert (found.rows, found.missing, found.surplus, found.differing, found.changed) == (1, 0, 0, 0, 2)
    assert found.same
    assert [(each.mirror_rows, each.provider_rows, each.same_content) for each in found.windows] == [(1, 1, True)]


def test_row_read_again_without_a_change_is_compared(sides: Sides) -> None:
    sides.hold({"a": 1, "b": 2}, {"a": 1, "b": 2})
    found = sides.compare(BEFORE)
    assert (found.rows, found.changed, found.same) == (2, 0, True)


def test_row_unknown_to_the_mirror_counts_as_missing(sides: Sides) -> None:
    sides.hold({"a": 1}, {"a": 1, "b": 2})
    found = sides.compare(BEFORE)
    assert (found.rows, found.missing, found.changed) == (1, 1, 0)
