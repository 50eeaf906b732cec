"""How fast requests are sent: a protocol, and an implementation that learns the provider's limits."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from math import inf
from types import TracebackType
from typing import Final, Protocol

from .allowance import Allowance
from .bucket import BURST_SECONDS, Bucket
from .buckets import Buckets
from .endpoints import ALL

GLOBAL_RATE: Final = "global-rate"
GLOBAL_CONCURRENCY: Final = "global-concurrency"
ENDPOINT_RATE: Final = "endpoint-rate"
ENDPOINT_CONCURRENCY: Final = "endpoint-concurrency"
RESOURCE: Final = "resource-specific"

_SHRINK: Final = 0.75
_SHRINK_LITTLE: Final = 0.9
_NEAR: Final = 0.8
_PATIENCE: Final = 2.0
_LONG_PATIENCE: Final = 8.0
_GROW: Final = 0.1
_CALM_SECONDS: Final = 0.25
_GROW_IDLE: Final = 0.5
_TIMES_LATE: Final = 2


class Limiter(Protocol):
    """Entered before every request, retries included. Limiters of one key share their rates."""

    def slot(self, endpoint: str) -> AbstractAsyncContextManager[None]:
        """Wait for permission to send a request to this endpoint; it lasts as long as the context."""
        ...

    def rejected(self, endpoint: str, reason: str, pause: float, asked: bool) -> None:
        """The provider rejected a request for `reason`; it is retried after `pause` seconds.

        `asked`: the provider named that time.
        """
        ...

    def close(self) -> None:
        """Release what is held; the limiter is not used afterwards."""
        ...


class AdaptiveLimiter:
    """Adapts to the limits: requests per second and concurrent requests, in total and for each endpoint.

    `concurrency` is the maximum of concurrent requests. A rejection for concurrency lowers the current number by a
    quarter (a burst of rejections counts once), or by a tenth where the limit is known to be near; each success raises
    it by a fraction of one. Rates are learned in `buckets`, which other limiters may share. `now` gives seconds of a
    monotonic clock, the same for all of them.
    """

    def __init__(
        self,
        allowed: Allowance,
        concurrency: int,
        *,
        buckets: Buckets,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._allowed = allowed
        self._most = concurrency
        self._buckets = buckets
        self._now = now
        self._sleep = sleep
        self._gates: dict[str, _Gate] = {}
        self._answered: Counter[str] = Counter()
        self._all = self._gate(ALL)

    def room(self, endpoint: str = ALL) -> int:
        """How many requests may be open at the same time now, in total or to an endpoint."""
        return int(self._gate(endpoint).room)

    def slot(self, endpoint: str) -> AbstractAsyncContextManager[None]:
        """Wait for room and for the rates."""
        return _Slot(self, endpoint)

    def rejected(self, endpoint: str, reason: str, pause: float, asked: bool) -> None:
        """Lower what the reason names: a rate, for all clients, or the number of concurrent requests. An unknown reason
        counts for the total rate; a limit of a single resource concerns its request alone."""
        self._answered.subtract((ALL, endpoint))
        name = endpoint if reason in (ENDPOINT_RATE, ENDPOINT_CONCURRENCY) else ALL
        if reason in (GLOBAL_CONCURRENCY, ENDPOINT_CONCURRENCY):
            self._shrink(name, pause, asked)
        elif reason != RESOURCE:
            now = self._now()
            self._buckets.change((name,), partial(self._reject, name, now, pause, asked))

    def close(self) -> None:
        """Release what is shared."""
        self._buckets.close()

    async def enter(self, endpoint: str) -> None:
        """Wait for a turn. A request that waits for its endpoint takes nothing of what all endpoints share."""
        own = self._gate(endpoint)
        await own.enter()
        try:
            free = self._all.is_free
            wait = self._take((endpoint, ALL) if free else (endpoint,))
            if free and (wait is None or wait.name == ALL):
                self._all.open += 1
            else:
                await self._turn(endpoint, wait)
                await self._all.enter()
                wait = self._take((ALL,))
            try:
                await self._turn(ALL, wait)
            except BaseException:
                self._all.leave()
                raise
        except BaseException:
            own.leave()
            raise

    def leave(self, endpoint: str, *, answered: bool) -> None:
        """A request has ended."""
        self._answered.update((ALL, endpoint))
        for gate in (self._all, self._gate(endpoint)):
            if answered and gate.room < self._most:
                gate.grow(self._now(), self._most)
            gate.leave()

    async def _turn(self, name: str, wait: _Wait | None) -> None:
        """Wait for a granted turn; request another one if a rejection came in between.

        A process that was suspended finds many turns in the past. Using all of them would be a burst beyond the
        limit, so a turn that is very late is requested again, at most twice.
        """
        times_late = 0
        while wait is not None:
            due = self._now() + wait.seconds
            await self._sleep(wait.seconds)
            late = self._now() - due > wait.grace and times_late < _TIMES_LATE
            if self._buckets.epoch(name) == wait.epoch and not late:
                return
            times_late += late
            wait = self._take((name,))

    def _take(self, names: Sequence[str]) -> _Wait | None:
        """Take a turn at each of these limits; stop at the first that requires a wait, and return that."""
        now = self._now()

        def take(buckets: Sequence[Bucket]) -> _Wait | None:
            for name, bucket in zip(names, buckets, strict=True):
                most = self._prepare(name, bucket, now)
                start = bucket.reserve(now, most)
                if start > now:
                    grace = max(BURST_SECONDS, 1 / min(bucket.rate, most))
                    return _Wait(name, start - now, grace, bucket.epoch)
            return None

        return self._buckets.change(names, take)

    def _prepare(self, name: str, bucket: Bucket, now: float) -> float:
        """Report successes to the bucket; return the highest rate that it may have."""
        first, most = self._allowed.of(name)
        if first < most:
            bucket.begin(first, now)
        answered = self._answered.pop(name, 0)
        if answered:
            bucket.answered(answered, now)
        return most

    def _reject(self, name: str, now: float, pause: float, asked: bool, buckets: Sequence[Bucket]) -> None:
        (bucket,) = buckets
        bucket.reject(now, self._prepare(name, bucket, now), pause, asked=asked)

    def _gate(self, name: str) -> _Gate:
        """The gate of an endpoint. It starts from what was learned, with the growth since then."""
        gate = self._gates.get(name)
        if gate is None:
            now = self._now()
            room = self._buckets.change((name,), lambda found: found[0].room + (now - found[0].room_at) * _GROW_IDLE)
            gate = self._gates[name] = _Gate(min(self._most, room))
        return gate

    def _shrink(self, name: str, pause: float, asked: bool) -> None:
        now, gate = self._now(), self._gate(name)
        if now >= gate.calm_until:
            gate.shrink(now)

        def keep(buckets: Sequence[Bucket]) -> None:
            (bucket,) = buckets
            bucket.room, bucket.room_at = gate.room, now
            if asked:
                bucket.hold(now + pause, now, self._allowed.of(name)[1])

        self._buckets.change((name,), keep)


@dataclass(frozen=True, slots=True)
class _Wait:
    """A turn at the limit `name`, due in `seconds` and valid for `grace` more, as long as the epoch is this one."""

    name: str
    seconds: float
    grace: float
    epoch: int


class _Gate:
    """Admits at most `room` concurrent requests, in order of arrival."""

    __slots__ = ("_failed", "_grown", "_patience", "_retry", "_waiting", "calm_until", "open", "room")

    def __init__(self, room: float) -> None:
        self.room = room
        self.open = 0
        self.calm_until = self._grown = self._retry = -inf
        self._failed = inf
        self._patience = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def shrink(self, now: float) -> None:
        """Lower the number by a quarter; or by a tenth where slightly fewer are known to succeed."""
        found = min(self.room, self.open + 1)
        near = _NEAR * self._failed <= found <= self._failed
        self._patience = min(_LONG_PATIENCE, max(_PATIENCE, 2 * self._patience)) if near else 0.0
        self.room = max(1.0, found * (_SHRINK_LITTLE if near else _SHRINK))
        self._failed, self._retry = found, now + self._patience
        self.calm_until = now + _CALM_SECONDS

    def grow(self, now: float, most: float) -> None:
        """Raise the number by a fraction for each success, by at most one a second."""
        passed, self._grown = now - self._grown, now
        if now < self._retry:
            most = min(most, max(self.room, self._failed - 1))
        self.room = min(most, self.room + min(_GROW / self.room, passed))

    @property
    def is_free(self) -> bool:
        """Whether the next one need not wait."""
        return self.open + 1 <= self.room and not self._waiting

    async def enter(self) -> None:
        """Wait for room, and take it."""
        if self.is_free:
            self.open += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # the place was already granted
                self.leave()
            raise

    def leave(self) -> None:
        """Free a place for the first in the queue."""
        self.open -= 1
        while self._waiting and self.open + 1 <= self.room:
            turn = self._waiting.popleft()
            if not turn.done():
                self.open += 1
                turn.set_result(None)


class _Slot:
    __slots__ = ("_endpoint", "_limiter")

    def __init__(self, limiter: AdaptiveLimiter, endpoint: str) -> None:
        self._limiter = limiter
        self._endpoint = endpoint

    async def __aenter__(self) -> None:
        await self._limiter.enter(self._endpoint)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limiter.leave(self._endpoint, answered=kind is None)
