"""The sandbox's clock."""

from __future__ import annotations

import math
from collections.abc import Callable


class Clock:
    """Unix seconds from a given start; ticks with `elapsed` unless frozen, can be set and advanced.

    `elapsed` returns seconds of a monotonic clock. Only `set` can turn the clock back. `moved` is set by every
    explicit change; whoever saves the clock clears it.
    """

    def __init__(self, start: float, elapsed: Callable[[], float], *, frozen: bool = False) -> None:
        self._elapsed = elapsed
        self._base = float(start)
        self._mark = elapsed()
        self.frozen = frozen
        self.moved = False

    def now(self) -> int:
        """The current time in whole Unix seconds."""
        return math.floor(self._exact())

    def set(self, timestamp: int) -> None:
        """Set the clock to a timestamp."""
        self._base, self._mark = float(timestamp), self._elapsed()
        self.moved = True

    def advance(self, seconds: int) -> None:
        """Advance the clock."""
        self.set(self.now() + seconds)

    def freeze(self, frozen: bool) -> None:
        """Stop or start the clock."""
        self._base, self._mark = self._exact(), self._elapsed()
        self.frozen = frozen
        self.moved = True

    def _exact(self) -> float:
        return self._base if self.frozen else self._base + self._elapsed() - self._mark
