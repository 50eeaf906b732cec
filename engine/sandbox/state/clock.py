"""The sandbox's own time."""

from __future__ import annotations

import math
from collections.abc import Callable


class Clock:
    """Unix seconds that start at a given moment, tick with `elapsed` unless frozen, and can be set or moved on.

    `elapsed` gives seconds of a monotonic clock. Time never goes back by itself; `set` may turn it back. `moved` says
    that it was set, stopped or let go, until whoever keeps the time takes note.
    """

    def __init__(self, start: float, elapsed: Callable[[], float], *, frozen: bool = False) -> None:
        self._elapsed = elapsed
        self._base = float(start)
        self._mark = elapsed()
        self.frozen = frozen
        self.moved = False

    def now(self) -> int:
        """The current moment in whole Unix seconds."""
        return math.floor(self._exact())

    def set(self, moment: int) -> None:
        """Put the clock at this moment."""
        self._base, self._mark = float(moment), self._elapsed()
        self.moved = True

    def advance(self, seconds: int) -> None:
        """Move the clock on."""
        self.set(self.now() + seconds)

    def freeze(self, frozen: bool) -> None:
        """Stop the clock, or let it go on."""
        self._base, self._mark = self._exact(), self._elapsed()
        self.frozen = frozen
        self.moved = True

    def _exact(self) -> float:
        return self._base if self.frozen else self._base + self._elapsed() - self._mark
