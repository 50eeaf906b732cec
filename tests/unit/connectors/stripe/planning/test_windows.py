"""Windows as parameters of Stripe requests."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.connector import EVERYTHING, Window
from engine.connectors.stripe.planning.windows import LATEST, sendable, window_params

_bounds = st.none() | st.integers(-5, 15)


@given(st.builds(Window, _bounds, _bounds), st.integers(-10, 20))
def test_sendable_window_covers_every_timestamp(window: Window, number: int) -> None:
    holds = sendable(window).covers(Window(number, number + 1))
    assert holds or number < 0 or not window.covers(Window(number, number + 1))


def test_sendable_window_drops_bounds_that_stripe_refuses() -> None:
    assert sendable(Window(-3, LATEST + 1)) == EVERYTHING
    assert sendable(Window(5, 10)) == Window(5, 10)
    assert sendable(Window(LATEST + 5, None)) == Window(LATEST, None)


def test_window_params_are_bounds_of_the_column() -> None:
    assert window_params(Window(5, 9), "created") == {"created[gte]": "5", "created[lt]": "9"}
    assert window_params(EVERYTHING, "created") == {}
