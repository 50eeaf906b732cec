"""A provider with rate limits in virtual time, and clients that send as many requests as they can."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from engine.connectors.stripe.client import AdaptiveLimiter, Allowance, Buckets, MemoryBuckets
from tests.support.stripe.virtual_time import VirtualLoop, in_virtual_time

EXPLICIT = Allowance(100_000.0)
"""The allowance of a connection with a far too high `requests_per_second`: the limits must be found."""


@dataclass
class Provider:
    """Responds with None or the reason of a 429. Its buckets hold `saved` seconds' worth; 0 and infinite: no limit.

    `by_second`: it has no buckets, but counts from zero each second.
    """

    now: Callable[[], float]
    total: float = inf
    endpoint: float = inf
    at_once: int = 0
    endpoint_at_once: int = 0
    saved: float = 0.1
    by_second: bool = False
    reasons: Counter[str] = field(default_factory=Counter)
    answered: list[tuple[float, str, int]] = field(default_factory=list)
    """Time, endpoint and client of each successful request."""
    refused: list[float] = field(default_factory=list)
    """Time of each refused request."""
    open: Counter[str] = field(default_factory=Counter)
    _tokens: dict[str, tuple[float, float]] = field(default_factory=dict)

    def ask(self, endpoint: str, client: int) -> str | None:
        """Take a request."""
        reason = self._reason(endpoint)
        if reason is None:
            self.answered.append((self.now(), endpoint, client))
        else:
            self.reasons[reason] += 1
            self.refused.append(self.now())
        return reason

    def rate(self, begin: float, end: float, endpoint: str | None = None, client: int | None = None) -> float:
        """Successful responses a second between two times, in seconds after the start."""
        found = [
            timestamp
            for timestamp, name, who in self.answered
            if 1000 + begin <= timestamp < 1000 + end and endpoint in (None, name) and client in (None, who)
        ]
        return len(found) / (end - begin)

    def _reason(self, endpoint: str) -> str | None:
        if self.at_once and sum(self.open.values()) > self.at_once:
            return "global-concurrency"
        if self.endpoint_at_once and self.open[endpoint] > self.endpoint_at_once:
            return "endpoint-concurrency"
        if not self._token(endpoint, self.endpoint):
            return "endpoint-rate"
        return None if self._token("", self.total) else "global-rate"

    def _token(self, name: str, rate: float) -> bool:
        if rate == inf:
            return True
        most = max(1.0, rate * self.saved)
        tokens, since = self._tokens.get(name, (most, self.now()))
        if self.by_second:
            tokens, since = (rate if int(self.now()) > int(since) else tokens), self.now()
            most = rate
        tokens = min(most, tokens + (self.now() - since) * rate)
        enough = tokens >= 1
        self._tokens[name] = (tokens - enough, self.now())
        return enough


@dataclass(frozen=True)
class Wish:
    """A client: `workers` that request these endpoints in turn from `begin` on, with its own allowance."""

    endpoints: Sequence[str]
    workers: int = 16
    allowed: Allowance = EXPLICIT
    begin: float = 0.0


def rush(
    wishes: Sequence[Wish],
    seconds: float,
    make: Callable[[VirtualLoop], Provider],
    *,
    latency: float = 0.1,
    retry_after: float = 0.0,
    buckets: Callable[[VirtualLoop], Sequence[Buckets]] | None = None,
) -> tuple[Provider, list[AdaptiveLimiter]]:
    """Let the clients send requests for this many seconds; they share their buckets unless each has its own."""
    loop = VirtualLoop()
    provider = make(loop)
    chance = random.Random(1)
    shared = MemoryBuckets()
    kept = buckets(loop) if buckets else [shared] * len(wishes)
    limiters = [
        AdaptiveLimiter(wish.allowed, wish.workers, buckets=each, now=loop.time, sleep=asyncio.sleep)
        for wish, each in zip(wishes, kept, strict=True)
    ]

    async def worker(client: int, turn: int) -> None:
        wish, limiter = wishes[client], limiters[client]
        await asyncio.sleep(wish.begin)
        while loop.time() < 1000 + seconds:
            endpoint = wish.endpoints[turn % len(wish.endpoints)]
            turn += 1
            tries = 0
            while (reason := await request(limiter, endpoint, client)) is not None:
                pause = retry_after + chance.random() * min(16.0, 0.25 * 2**tries)
                limiter.rejected(endpoint, reason, pause, bool(retry_after))
                await asyncio.sleep(pause)
                tries += 1

    async def request(limiter: AdaptiveLimiter, endpoint: str, client: int) -> str | None:
        async with limiter.slot(endpoint):
            provider.open[endpoint] += 1
            await asyncio.sleep(latency / 2 * chance.uniform(0.8, 1.2))
            reason = provider.ask(endpoint, client)
            await asyncio.sleep(latency / 2 * chance.uniform(0.8, 1.2))
            provider.open[endpoint] -= 1
            return reason

    async def all_of_them() -> None:
        await asyncio.gather(
            *(worker(client, turn) for client, wish in enumerate(wishes) for turn in range(wish.workers))
        )

    in_virtual_time(all_of_them(), loop)
    return provider, limiters
