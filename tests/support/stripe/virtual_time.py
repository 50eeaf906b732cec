"""An event loop whose time passes only while it is idle: waiting costs no real time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that starts at a given time and jumps to the next timer instead of waiting. It does no I/O."""

    def __init__(self, moment: float = 1000.0) -> None:
        super().__init__(_Jump(self))
        self.moment = moment

    def time(self) -> float:
        """Seconds since some beginning."""
        return self.moment


class _Jump(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        """No file is ever ready; the wait ends at once."""
        if timeout is None:
            raise AssertionError("everybody waits for something that never comes")
        self._loop.moment += timeout
        return []


def in_virtual_time(work: Coroutine[Any, Any, T], loop: VirtualLoop) -> T:
    """The result of `work` on this loop, which is closed afterwards."""
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
