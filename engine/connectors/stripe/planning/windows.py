"""Half-open intervals of whole numbers, as Stripe's `[gte]` and `[lt]` parameters write them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from engine.connector import Op, Predicate

LATEST: Final = 4_102_444_800
"""The year 2100 in Unix seconds: later bounds are left out, because Stripe may refuse them."""


@dataclass(frozen=True, slots=True)
class Window:
    """The whole numbers from `gte` up to, not including, `lt`. None is no bound."""

    gte: int | None = None
    lt: int | None = None

    @property
    def empty(self) -> bool:
        """Whether no number lies inside."""
        return self.gte is not None and self.lt is not None and self.gte >= self.lt

    def intersect(self, other: Window) -> Window:
        """What lies inside both."""
        lows = [each.gte for each in (self, other) if each.gte is not None]
        highs = [each.lt for each in (self, other) if each.lt is not None]
        return Window(max(lows, default=None), min(highs, default=None))

    def hull(self, other: Window) -> Window:
        """The smallest window that holds both."""
        low = None if self.gte is None or other.gte is None else min(self.gte, other.gte)
        high = None if self.lt is None or other.lt is None else max(self.lt, other.lt)
        return Window(low, high)

    def covers(self, other: Window) -> bool:
        """Whether everything in `other` lies inside."""
        return self.hull(other) == self

    def touches(self, other: Window) -> bool:
        """Whether the two together are one window without a gap."""
        first, second = sorted((self, other), key=lambda each: -math.inf if each.gte is None else each.gte)
        return first.lt is None or second.gte is None or second.gte <= first.lt

    def params(self, name: str) -> dict[str, str]:
        """The window as query parameters: `created[gte]`, `created[lt]`."""
        bounds = (("gte", self.gte), ("lt", self.lt))
        return {f"{name}[{bound}]": str(value) for bound, value in bounds if value is not None}

    def predicates(self, column: str) -> tuple[Predicate, ...]:
        """The window as comparisons."""
        bounds = ((Op.GE, self.gte), (Op.LT, self.lt))
        return tuple(Predicate(column, op, (value,)) for op, value in bounds if value is not None)


EVERYTHING: Final = Window()


def window_of(predicate: Predicate) -> Window | None:
    """The whole numbers that satisfy a comparison; None when it does not compare with finite numbers.

    For `IN` it is the hull of its values.
    """
    numbers = [each for each in predicate.values if isinstance(each, int | float) and not isinstance(each, bool)]
    if len(numbers) != len(predicate.values) or not numbers or not all(math.isfinite(each) for each in numbers):
        return None
    low, high = min(numbers), max(numbers)
    match predicate.op:
        case Op.GE:
            return Window(gte=math.ceil(low))
        case Op.GT:
            return Window(gte=math.floor(low) + 1)
        case Op.LT:
            return Window(lt=math.ceil(high))
        case Op.LE:
            return Window(lt=math.floor(high) + 1)
    return Window(math.ceil(low), math.floor(high) + 1)


def sendable(window: Window) -> Window:
    """The window without bounds that hold for every instant, or that Stripe may refuse: never a smaller one."""
    low = None if window.gte is None or window.gte <= 0 else min(window.gte, LATEST)
    high = None if window.lt is None or window.lt > LATEST else max(window.lt, 0)
    return Window(low, high)


def merge(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same numbers in as few windows as possible, in order."""
    merged: list[Window] = []
    for each in sorted(windows, key=lambda window: -math.inf if window.gte is None else window.gte):
        if merged and merged[-1].touches(each):
            merged[-1] = merged[-1].hull(each)
        else:
            merged.append(each)
    return tuple(merged)
