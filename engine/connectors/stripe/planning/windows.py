"""Windows as the parameters of Stripe's lists."""

from __future__ import annotations

from typing import Final

from engine.connector import Window

LATEST: Final = 4_102_444_800
"""The year 2100 in Unix seconds: later bounds are not sent, because Stripe may refuse them."""


def sendable(window: Window) -> Window:
    """The window without bounds that hold for every timestamp, or that Stripe may refuse: never a smaller one."""
    low = None if window.gte is None or window.gte <= 0 else min(window.gte, LATEST)
    high = None if window.lt is None or window.lt > LATEST else max(window.lt, 0)
    return Window(low, high)


def window_params(window: Window, name: str) -> dict[str, str]:
    """The window as query parameters: `created[gte]`, `created[lt]`."""
    bounds = (("gte", window.gte), ("lt", window.lt))
    return {f"{name}[{bound}]": str(value) for bound, value in bounds if value is not None}
