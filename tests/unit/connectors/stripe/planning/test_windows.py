"""Windows of whole numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.connector import Op, Predicate
from engine.connectors.stripe.planning.windows import EVERYTHING, LATEST, Window, merge, sendable, window_of

_bounds = st.none() | st.integers(-5, 15)
_windows = st.builds(Window, _bounds, _bounds)


def _inside(window: Window, number: int) -> bool:
    return (window.gte is None or number >= window.gte) and (window.lt is None or number < window.lt)


@given(_windows, _windows, st.integers(-10, 20))
def test_windows_behave_as_sets(one: Window, other: Window, number: int) -> None:
    assert _inside(one.intersect(other), number) is (_inside(one, number) and _inside(other, number))
    if _inside(one, number) or _inside(other, number):
        assert _inside(one.hull(other), number)
    if one.covers(other) and _inside(other, number):
        assert _inside(one, number)
    if one.empty:
        assert not _inside(one, number)
    if _inside(one, number):
        assert _inside(sendable(one), number) or number < 0


@given(st.lists(_windows.filter(lambda each: not each.empty), max_size=6), st.integers(-10, 20))
def test_merged_windows_hold_the_same_numbers(windows: list[Window], number: int) -> None:
    merged = merge(windows)
    assert len(merged) <= len(windows)
    assert sum(_inside(each, number) for each in merged) == any(_inside(each, number) for each in windows)


@given(
    st.sampled_from([Op.EQ, Op.LT, Op.LE, Op.GT, Op.GE]),
    st.integers(-5, 15) | st.floats(-5, 15),
    st.integers(-10, 20),
)
def test_a_comparison_is_a_window(op: Op, bound: float, number: int) -> None:
    holds = {
        Op.EQ: number == bound, Op.LT: number < bound, Op.LE: number <= bound, Op.GT: number > bound,
        Op.GE: number >= bound,
    }[op]  # fmt: skip
    window = window_of(Predicate("created", op, (bound,)))
    assert window is not None
    assert _inside(window, number) is holds


@pytest.mark.parametrize("values", [("1",), (True,), (1, "2"), (), (math.inf,), (math.nan,)])
def test_what_is_no_number_is_no_window(values: tuple[float, ...]) -> None:
    assert window_of(Predicate("created", Op.GE, values)) is None


def test_bounds_that_stripe_may_refuse_are_left_out() -> None:
    assert sendable(Window(-3, LATEST + 1)) == EVERYTHING
    assert sendable(Window(5, 10)) == Window(5, 10)
    assert sendable(Window(LATEST + 5, None)) == Window(LATEST, None)


def test_parameters_and_predicates() -> None:
    window = Window(5, 9)
    assert window.params("created") == {"created[gte]": "5", "created[lt]": "9"}
    assert window.predicates("created") == (Predicate("created", Op.GE, (5,)), Predicate("created", Op.LT, (9,)))
    assert EVERYTHING.params("created") == {}
