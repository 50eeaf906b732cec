"""The coverage of a table, window by window, for any number of windows at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.connector import Window
from engine.duck.staging.coverage_rows import UNFILTERED, CoverageRow, CoverageRows

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC).replace(tzinfo=None)
OPEN = '[[["status", "=", ["open"]]]]'


def window(gte: int | None, lt: int | None, place: int | None = None, **other: object) -> CoverageRow:
    made = CoverageRow(Window(gte, lt), UNFILTERED, NOON, "list", "v", 1, 10, True, [], NOON, [], place)
    return replace(made, **other)  # type: ignore[arg-type]


def claimed(windows: CoverageRows) -> list[tuple[int | None, int | None, int, int]]:
    return [(each.window.gte, each.window.lt, each.pages, each.rows) for each in windows.present]


def test_windows_are_merged_when_their_holes_are_filled() -> None:
    windows = CoverageRows([])
    for start in (40, 0, 20):
        windows.add(window(start, start + 10), NOON, alone=False)
    assert len(windows.new) == 3
    for start in (10, 30):
        windows.add(window(start, start + 10), NOON, alone=False)
    assert claimed(windows) == [(0, 50, 5, 50)]
    assert windows.deleted == []


def test_stored_window_is_merged_into_an_adjacent_one_and_deleted() -> None:
    windows = CoverageRows([window(0, 10, 7), window(50, 60, 8)])
    windows.add(window(10, 20), NOON, alone=False)
    assert claimed(windows) == [(50, 60, 1, 10), (0, 20, 2, 20)]
    assert windows.deleted == [7]
    assert [each.place for each in windows.new] == [None]


def test_merged_window_has_the_age_of_its_oldest_part() -> None:
    before = NOON - timedelta(hours=1)
    windows = CoverageRows([window(0, 10, 7, as_of=before, read_at=before)])
    windows.add(window(10, 20), before, alone=False)
    assert [(each.as_of, each.read_at) for each in windows.present] == [(before, before)]


def test_older_window_is_not_merged() -> None:
    windows = CoverageRows([window(0, 10, 7, as_of=NOON - timedelta(hours=1))])
    windows.add(window(10, 20), NOON, alone=False)
    assert len(windows.present) == 2
    assert windows.deleted == []


@pytest.mark.parametrize("bounds", [(None, None), (None, 30), (0, None), (0, 30)])
def test_wider_window_replaces_the_windows_it_contains(bounds: tuple[int | None, int | None]) -> None:
    windows = CoverageRows([window(5, 10, 7, as_of=NOON - timedelta(days=1), filter=OPEN)])
    windows.add(window(*bounds), NOON, alone=False)
    assert claimed(windows) == [(*bounds, 1, 10)]
    assert windows.deleted == [7]


def test_filtered_window_replaces_only_windows_of_its_filter() -> None:
    windows = CoverageRows([window(5, 10, 7), window(5, 10, 8, filter=OPEN)])
    windows.add(window(0, 30, filter=OPEN), NOON, alone=False)
    assert windows.deleted == [8]


def test_incomplete_window_replaces_only_itself() -> None:
    windows = CoverageRows([window(0, 5, 7), window(0, 10, 8)])
    windows.add(window(0, 10, complete=False), NOON, alone=False)
    assert windows.deleted == [8]


def test_window_with_more_expanded_fields_is_kept() -> None:
    windows = CoverageRows([window(0, 10, 7, expanded=["tax"])])
    windows.add(window(0, 10), NOON, alone=False)
    assert windows.deleted == []
    windows.add(window(0, 10, expanded=["fees", "tax"]), NOON, alone=False)
    assert windows.deleted == [7]


def test_window_added_alone_deletes_all_others() -> None:
    windows = CoverageRows([window(0, 10, 7), window(50, 60, 8, filter=OPEN)])
    windows.add(window(90, 95, filter=OPEN), NOON, alone=True)
    assert claimed(windows) == [(90, 95, 1, 10)]
    assert windows.deleted == [7, 8]
