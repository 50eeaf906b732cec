"""Events of runs, told to whoever listens: each listener has a queue of its own, and a slow one loses the oldest."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Final

_KEPT: Final = 2_000
_WAIT: Final = 1.0


class Story:
    """The events of one run, as lines of JSON, from the first to the last. For several threads."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_KEPT)
        self._dropped = 0
        self._changed = threading.Condition()
        self._over = False

    def tell(self, line: str) -> None:
        """Add an event."""
        with self._changed:
            if len(self._lines) == _KEPT:
                self._dropped += 1
            self._lines.append(line)
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def follow(self, after: int = 0) -> Iterator[tuple[int, str | None]]:
        """(number, line) from the event behind `after` on, until the end. A line of None: nothing happened for a
        second, so that whoever follows can see whether somebody still listens."""
        number = after
        while True:
            with self._changed:
                if number >= self._dropped + len(self._lines) and not self._over:
                    self._changed.wait(_WAIT)
                number = max(number, self._dropped)
                fresh = list(self._lines)[number - self._dropped :]
                over = self._over
            if not fresh and not over:
                yield number, None
            for line in fresh:
                number += 1
                yield number, line
            if over and not fresh:
                return
