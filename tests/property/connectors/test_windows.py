"""Windows against a naive model: sets of integers."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.connector import (
    EVERYTHING,
    Op,
    Predicate,
    Window,
    group_touching,
    holes_between,
    merge_windows,
    window_of_predicate,
)

_LOW, _HIGH = -10, 20
_UNIVERSE = range(_LOW, _HIGH)
"""Wider than all bounds, so that its ends represent missing bounds."""
_bounds = st.none() | st.integers(-5, 15)
_windows = st.builds(Window, _bounds, _bounds)
_proper = _windows.filter(lambda each: not each.empty)


def numbers(*windows: Window) -> set[int]:
    """The model of windows: the integers they contain."""
    return {
        number
        for number in _UNIVERSE
        for each in windows
        if (each.gte is None or number >= each.gte) and (each.lt is None or number < each.lt)
    }


def is_in_fewest_windows(windows: tuple[Window, ...]) -> bool:
    """Whether the windows are sorted, not empty, and separated by holes."""
    held = [numbers(each) for each in windows]
    return all(held) and all(max(below) + 1 < min(above) for below, above in pairwise(held))


@given(_windows, _windows)
def test_operations_on_two_windows_match_the_model(one: Window, other: Window) -> None:
    assert one.empty is (not numbers(one))
    assert numbers(one.intersect(other)) == numbers(one) & numbers(other)
    assert numbers(one.hull(other)) >= numbers(one) | numbers(other)
    if one.covers(other):
        assert numbers(one) >= numbers(other)


@given(_proper, _proper)
def test_hull_touch_and_cover_of_non_empty_windows_match_the_model(one: Window, other: Window) -> None:
    mine, theirs = numbers(one), numbers(other)
    whole = set(range(min(mine | theirs), max(mine | theirs) + 1))
    assert numbers(one.hull(other)) == whole
    assert one.touches(other) is other.touches(one) is (mine | theirs == whole)
    assert one.covers(other) is (mine >= theirs)


@given(_windows, st.lists(_windows, max_size=6))
def test_window_without_others_matches_the_model(window: Window, others: list[Window]) -> None:
    left = window.without(others)
    assert numbers(*left) == numbers(window) - numbers(*others)
    assert is_in_fewest_windows(left)


@given(st.lists(_windows, max_size=6))
def test_merged_windows_and_their_holes_match_the_model(windows: list[Window]) -> None:
    merged = merge_windows(windows)
    assert numbers(*merged) == numbers(*windows)
    assert is_in_fewest_windows(merged)
    held = numbers(*windows)
    assert numbers(*holes_between(windows)) == set(range(min(held, default=0), max(held, default=0))) - held


@given(st.lists(_proper, max_size=6))
def test_touching_groups_are_the_merged_windows_with_their_items(windows: list[Window]) -> None:
    items = list(enumerate(windows))
    groups = list(group_touching(items, lambda item: item[1]))
    assert tuple(whole for whole, _ in groups) == merge_windows(windows)
    assert sorted(item for _, group in groups for item in group) == items
    for whole, group in groups:
        assert numbers(*(window for _, window in group)) == numbers(whole)


@given(_windows, st.integers(0, 4))
def test_window_starting_earlier_grows_only_at_its_start(window: Window, by: int) -> None:
    earlier = window.starting_earlier(by)
    assert earlier.lt == window.lt
    if not window.empty:
        assert len(numbers(earlier) - numbers(window)) == (0 if window.gte is None else by)
        assert numbers(earlier) >= numbers(window)


@given(_windows)
def test_predicates_of_a_window_match_the_model(window: Window) -> None:
    found = window.predicates("created")
    holds = {Op.GE: lambda number, value: number >= value, Op.LT: lambda number, value: number < value}
    assert {each.column for each in found} <= {"created"}
    kept = {number for number in _UNIVERSE if all(holds[each.op](number, each.values[0]) for each in found)}
    assert kept == numbers(window)
    assert [window_of_predicate(each) for each in found] == [
        each for each in (Window(gte=window.gte), Window(lt=window.lt)) if each != EVERYTHING
    ]


@given(st.sampled_from([Op.EQ, Op.LT, Op.LE, Op.GT, Op.GE]), st.integers(-5, 15) | st.floats(-5, 15))
def test_window_of_a_predicate_matches_the_model(op: Op, bound: float) -> None:
    holds = {
        Op.EQ: lambda number: number == bound, Op.LT: lambda number: number < bound,
        Op.LE: lambda number: number <= bound, Op.GT: lambda number: number > bound,
        Op.GE: lambda number: number >= bound,
    }[op]  # fmt: skip
    window = window_of_predicate(Predicate("created", op, (bound,)))
    assert window is not None
    assert numbers(window) == set(filter(holds, _UNIVERSE))


@pytest.mark.parametrize("values", [("1",), (True,), (1, "2"), (), (math.inf,), (math.nan,)])
def test_predicate_without_a_number_has_no_window(values: tuple[float, ...]) -> None:
    assert window_of_predicate(Predicate("created", Op.GE, values)) is None
