"""Half-open windows of whole numbers, as the creation of rows in Unix seconds is bounded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeVar

from .need import Op, Predicate

_Item = TypeVar("_Item")


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
        low = other.gte if self.gte is None else self.gte if other.gte is None else max(self.gte, other.gte)
        high = other.lt if self.lt is None else self.lt if other.lt is None else min(self.lt, other.lt)
        return Window(low, high)

    def hull(self, other: Window) -> Window:
        """The smallest window that contains both. An empty window counts with its bounds."""
        low = None if self.gte is None or other.gte is None else min(self.gte, other.gte)
        high = None if self.lt is None or other.lt is None else max(self.lt, other.lt)
        return Window(low, high)

    def covers(self, other: Window) -> bool:
        """Whether everything in `other` lies inside. An empty window counts with its bounds."""
        return self.hull(other) == self

    def touches(self, other: Window) -> bool:
        """Whether the two together are one window without a hole. An empty window counts with its bounds."""
        return _reaches(self, other) and _reaches(other, self)

    def without(self, others: Iterable[Window]) -> tuple[Window, ...]:
        """The holes: what lies inside this window and in none of the others, in few windows, in order."""
        rest: tuple[Window, ...] = (self,)
        for other in others:
            if not other.empty:
                rest = tuple(part for each in rest for part in (_below(each, other), _above(each, other)) if part)
        return tuple(each for each in rest if not each.empty)

    def starting_earlier(self, by: int) -> Window:
        """The window with a lower bound that is `by` less."""
        return Window(None if self.gte is None else self.gte - by, self.lt)

    def predicates(self, column: str) -> tuple[Predicate, ...]:
        """The window as comparisons of `column`."""
        bounds = ((Op.GE, self.gte), (Op.LT, self.lt))
        return tuple(Predicate(column, op, (value,)) for op, value in bounds if value is not None)


EVERYTHING: Final = Window()


def by_lower_bound(window: Window) -> float:
    """The sort key of windows in order."""
    return -math.inf if window.gte is None else window.gte


def group_touching(
    items: Iterable[_Item], window_of: Callable[[_Item], Window]
) -> Iterator[tuple[Window, list[_Item]]]:
    """The items, in groups whose windows together are one window without a hole, each with that window; in order."""
    whole, group = EVERYTHING, list[_Item]()
    for item in sorted(items, key=lambda each: by_lower_bound(window_of(each))):
        window = window_of(item)
        if group and whole.touches(window):
            whole = whole.hull(window)
            group.append(item)
            continue
        if group:
            yield whole, group
        whole, group = window, [item]
    if group:
        yield whole, group


def merge_windows(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same numbers in as few windows as possible, in order."""
    return tuple(whole for whole, _ in group_touching((each for each in windows if not each.empty), lambda each: each))


def holes_between(windows: Iterable[Window]) -> tuple[Window, ...]:
    """What lies between the lowest and the highest of the windows, and in none of them, in order."""
    merged = merge_windows(windows)
    return tuple(Window(below.lt, above.gte) for below, above in pairwise(merged))


def window_of_predicate(predicate: Predicate) -> Window | None:
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


def _reaches(low: Window, high: Window) -> bool:
    """Whether `low` ends no lower than `high` begins."""
    return low.lt is None or high.gte is None or high.gte <= low.lt


def _below(window: Window, other: Window) -> Window | None:
    """The part of the window below the other one."""
    return None if other.gte is None else window.intersect(Window(lt=other.gte))


def _above(window: Window, other: Window) -> Window | None:
    """The part of the window above the other one."""
    return None if other.lt is None else window.intersect(Window(gte=other.lt))
