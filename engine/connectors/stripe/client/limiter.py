"""How fast requests may go out: a seam, and a plain implementation with fixed limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Protocol


class Limiter(Protocol):
    """Asked before every request, retries included. One limiter serves all requests of an account."""

    def slot(self, path: str) -> AbstractAsyncContextManager[None]:
        """Wait for the right to send a request to this path; the right lasts as long as the context."""
        ...

    def rejected(self, path: str, reason: str | None, pause: float) -> None:
        """The provider answered 429 and named `reason`: send nothing for `pause` seconds."""
        ...


class FixedLimiter:
    """A token bucket of `rate` requests a second with room for `burst`, and at most `concurrency` at once.

    `now` gives seconds of a monotonic clock.
    """

    def __init__(
        self,
        rate: float,
        concurrency: int,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        burst: float | None = None,
    ) -> None:
        self._rate = rate
        self._burst = max(1.0, burst if burst is not None else rate / 4)
        self._tokens = self._burst
        self._now = now
        self._sleep = sleep
        self._filled = now()
        self._paused_until = self._filled
        self._room = asyncio.Semaphore(concurrency)
        self._turn = asyncio.Lock()

    def slot(self, path: str) -> AbstractAsyncContextManager[None]:  # noqa: ARG002 - all paths share the limits
        """Wait for a token and for room."""
        return _Slot(self._enter, self._room.release)

    def rejected(self, path: str, reason: str | None, pause: float) -> None:  # noqa: ARG002 - as above
        """Hold every request back for `pause` seconds, and start again without a burst."""
        self._paused_until = max(self._paused_until, self._now() + pause)
        self._tokens = min(self._tokens, 0.0)

    async def _enter(self) -> None:
        await self._room.acquire()
        try:
            async with self._turn:
                while (wait := self._wait()) > 0:
                    await self._sleep(wait)
                self._tokens -= 1
        except BaseException:
            self._room.release()
            raise

    def _wait(self) -> float:
        now = self._now()
        if now < self._paused_until:
            self._filled = self._paused_until
            return self._paused_until - now
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._filled) * self._rate)
        self._filled = max(self._filled, now)
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) / self._rate


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
