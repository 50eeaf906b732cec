"""What a table claims to hold, window by window, however many come at once."""

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


def test_windows_that_leave_holes_stay_and_become_one_when_the_holes_are_filled() -> None:
    windows = CoverageRows([])
    for start in (40, 0, 20):
        windows.add(window(start, start + 10), NOON, alone=False)
    assert len(windows.new) == 3
    for start in (10, 30):
        windows.add(window(start, start + 10), NOON, alone=False)
    assert claimed(windows) == [(0, 50, 5, 50)]
    assert windows.deleted == []


def test_what_is_in_the_file_is_taken_in_and_deleted() -> None:
    windows = CoverageRows([window(0, 10, 7), window(50, 60, 8)])
    windows.add(window(10, 20), NOON, alone=False)
    assert claimed(windows) == [(50, 60, 1, 10), (0, 20, 2, 20)]
    assert windows.deleted == [7]
    assert [each.place for each in windows.new] == [None]


def test_the_whole_has_the_age_of_its_oldest_part() -> None:
    before = NOON - timedelta(hours=1)
    windows = CoverageRows([window(0, 10, 7, as_of=before, read_at=before)])
    windows.add(window(10, 20), before, alone=False)
    assert [(each.as_of, each.read_at) for each in windows.present] == [(before, before)]


def test_an_older_window_is_not_continued() -> None:
    windows = CoverageRows([window(0, 10, 7, as_of=NOON - timedelta(hours=1))])
    windows.add(window(10, 20), NOON, alone=False)
    assert len(windows.present) == 2
    assert windows.deleted == []


@pytest.mark.parametrize("bounds", [(None, None), (None, 30), (0, None), (0, 30)])
def test_a_wider_window_replaces_what_it_contains(bounds: tuple[int | None, int | None]) -> None:
    windows = CoverageRows([window(5, 10, 7, as_of=NOON - timedelta(days=1), filter=OPEN)])
    windows.add(window(*bounds), NOON, alone=False)
    assert claimed(windows) == [(*bounds, 1, 10)]
    assert windows.deleted == [7]


def test_a_narrowed_read_replaces_only_its_like() -> None:
    windows = CoverageRows([window(5, 10, 7), window(5, 10, 8, filter=OPEN)])
    windows.add(window(0, 30, filter=OPEN), NOON, alone=False)
    assert windows.deleted == [8]


def test_a_read_with_a_limit_replaces_only_itself() -> None:
    windows = CoverageRows([window(0, 5, 7), window(0, 10, 8)])
    windows.add(window(0, 10, complete=False), NOON, alone=False)
    assert windows.deleted == [8]


def test_what_came_with_more_fields_stays() -> None:
    windows = CoverageRows([window(0, 10, 7, expanded=["tax"])])
    windows.add(window(0, 10), NOON, alone=False)
    assert windows.deleted == []
    windows.add(window(0, 10, expanded=["fees", "tax"]), NOON, alone=False)
    assert windows.deleted == [7]


def test_alone_means_that_nothing_else_is_claimed() -> None:
    windows = CoverageRows([window(0, 10, 7), window(50, 60, 8, filter=OPEN)])
    windows.add(window(90, 95, filter=OPEN), NOON, alone=True)
    assert claimed(windows) == [(90, 95, 1, 10)]
    assert windows.deleted == [7, 8]
