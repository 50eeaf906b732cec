"""Events of runs, kept for whoever listens: who comes late, or is slow, misses the oldest of very many."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

_KEPT: Final = 1_000


class Story:
    """The events of one run, as lines of JSON, from the first to the last. For several threads."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_KEPT)
        self._dropped = 0
        self._lock = threading.Lock()
        self._over = False

    def tell(self, line: str) -> None:
        """Add an event."""
        with self._lock:
            if len(self._lines) == _KEPT:
                self._dropped += 1
            self._lines.append(line)

    def end(self) -> None:
        """Nothing more will come."""
        with self._lock:
            self._over = True

    def since(self, number: int) -> tuple[list[tuple[int, str]], bool]:
        """(number, line) of the events behind `number` that are still kept, and whether nothing more will come."""
        with self._lock:
            first = max(number, self._dropped)
            fresh = list(self._lines)[first - self._dropped :]
            return list(enumerate(fresh, first + 1)), self._over
