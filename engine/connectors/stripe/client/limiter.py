"""How fast requests may go out: a seam, and an implementation that finds out how many at once are welcome."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Final, Protocol

_SHRINK: Final = 0.6
_GROW: Final = 0.15
_CALM_SECONDS: Final = 0.25
_LONGEST_HOLD: Final = 1.0
_TINY: Final = 1e-6


class Limiter(Protocol):
    """Asked before every request, retries included. One limiter serves all requests of an account."""

    def slot(self, path: str) -> AbstractAsyncContextManager[None]:
        """Wait for the right to send a request to this path; the right lasts as long as the context."""
        ...

    def rejected(self, path: str, reason: str | None, pause: float, asked: bool) -> None:
        """The provider answered 429 and named `reason`; the request is tried again after `pause` seconds.

        `asked`: the provider said how long.
        """
        ...


class AdaptiveLimiter:
    """A token bucket of `rate` requests a second, and as many requests at once as are not rejected.

    `concurrency` is the most at once. A rejection takes away four tenths of the present number (a burst of them counts
    once), an answered request gives back a part of one. `now` gives seconds of a monotonic clock.
    """

    def __init__(
        self,
        rate: float,
        concurrency: int,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._rate = rate
        self._burst = max(1.0, rate / 4)
        self._tokens = self._burst
        self._now = now
        self._sleep = sleep
        self._filled = now()
        self._held_until = self._filled
        self._calm_until = self._filled
        self._most = concurrency
        self._room = float(concurrency)
        self._open = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._turn = asyncio.Lock()

    @property
    def room(self) -> int:
        """How many requests may be open at once now."""
        return int(self._room)

    def slot(self, path: str) -> AbstractAsyncContextManager[None]:  # noqa: ARG002 - all paths share the limits
        """Wait for room and for a token."""
        return _Slot(self._enter, self._leave)

    def rejected(self, path: str, reason: str | None, pause: float, asked: bool) -> None:  # noqa: ARG002 - as above
        """Make less room, start again without a burst, and hold all requests back: for `pause`, if it was asked for."""
        now = self._now()
        self._tokens = min(self._tokens, 0.0)
        self._held_until = max(self._held_until, now + (pause if asked else min(pause, _LONGEST_HOLD)))
        if now >= self._calm_until:
            self._room = max(1.0, self._room * _SHRINK)
            self._calm_until = self._held_until + _CALM_SECONDS

    async def _enter(self) -> None:
        while self._open >= self.room:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
        self._open += 1
        try:
            async with self._turn:
                while (wait := self._wait()) > 0:
                    await self._sleep(wait)
                self._tokens -= 1
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        self._open -= 1
        self._room = min(self._most, self._room + _GROW / self._room)
        free = self.room - self._open
        while free > 0 and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                free -= 1

    def _wait(self) -> float:
        now = self._now()
        if now < self._held_until:
            self._filled = self._held_until
            return self._held_until - now
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._filled) * self._rate)
        self._filled = max(self._filled, now)
        return 0.0 if self._tokens >= 1 - _TINY else (1 - self._tokens) / self._rate


class _Slot:
    __slots__ = ("_enter", "_release")

    def __init__(self, enter: Callable[[], Awaitable[None]], release: Callable[[], None]) -> None:
        self._enter = enter
        self._release = release

    async def __aenter__(self) -> None:
        await self._enter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()
