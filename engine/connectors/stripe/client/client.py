"""Requests to Stripe: through the SDK, as raw bytes, rate limited, retried, with failures that explain themselves."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self, TypeVar, cast

import msgspec

from engine.connector import ConnectorError, Failure, FailureKind

from .allowance import allowance
from .buckets import Buckets, MemoryBuckets
from .endpoints import endpoint_of
from .errors import Scrubber, failure_of
from .limiter import AdaptiveLimiter, Limiter
from .retry import Retries, RetryPolicy, is_last_word, limit_of, may_be_done
from .sdk import stripe
from .settings import Key, Settings
from .transport import RawHeaders, RawTransport, silence_sdk

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its bytes, and its headers with names in lower case."""

    body: bytes
    headers: Mapping[str, str]

    @property
    def request_id(self) -> str | None:
        """Stripe's id of the request."""
        return self.headers.get("request-id")


class WriteFailedError(ConnectorError):
    """A write failed. `unknown`: it may have been done. `doubted`: an earlier attempt may have done it, whatever the
    last one was answered."""

    def __init__(self, failure: Failure, *, unknown: bool, doubted: bool) -> None:
        super().__init__(failure)
        self.unknown = unknown
        self.doubted = doubted


@dataclass(frozen=True, slots=True)
class Timing:
    """Time and randomness: seconds of a monotonic clock, a way to wait, numbers in [0, 1)."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random


@dataclass(slots=True)
class Counts:
    """What a client has done so far. `waiting` is the reason of the current pause, until a request succeeds; `open` is
    the number of requests in flight.

    `api_version` is that of the latest answer; where it names none, the requested one.
    """

    requests: int = 0
    open: int = 0
    retries: int = 0
    limited: int = 0
    bytes: int = 0
    waiting: str | None = None
    api_version: str | None = None


@dataclass(slots=True)
class Client:
    """Reads from one account (None: the key's own). Use it as an async context; it owns the connections.

    Its rate limits are in `buckets` (those of the key, see `shared_buckets`), which it closes at the end.
    """

    settings: Settings
    key: Key
    account: str | None = None
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    timing: Timing = field(default_factory=Timing)
    buckets: Buckets = field(default_factory=MemoryBuckets)
    counts: Counts = field(default_factory=Counts)
    _transport: RawTransport = field(init=False)
    _sdk: stripe.StripeClient = field(init=False)
    _limiter: Limiter = field(init=False)
    _scrub: Scrubber = field(init=False)

    def __post_init__(self) -> None:
        silence_sdk()
        settings = self.settings
        self._scrub = Scrubber(self.key.secret.reveal)
        self._transport = RawTransport(settings.timeout_ms / 1000, settings.concurrency)
        self._limiter = AdaptiveLimiter(
            allowance(settings, self.key),
            settings.concurrency,
            buckets=self.buckets,
            now=self.timing.now,
            sleep=self.timing.sleep,
        )
        self._sdk = stripe.StripeClient(
            self.key.secret.reveal(),
            stripe_account=self.account,
            stripe_version=settings.api_version,
            base_addresses={"api": settings.base_url},
            max_network_retries=0,
            http_client=self._transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.close_async()
        self._limiter.close()

    async def get(self, path: str, params: Mapping[str, str], read: Callable[[Answer], T]) -> T:
        """What `read` returns for the answer. `ConnectorError` after the last retry, or when a retry cannot help.

        `read` raises `msgspec.DecodeError` when the body is malformed; that is retried as well.
        """
        started = self.timing.now()
        endpoint = endpoint_of("GET", path)
        retries = Retries(self.policy, self.timing.random)
        while True:
            error: stripe.StripeError | None = None
            try:
                async with self._limiter.slot(endpoint):
                    answer = await self._send(path, params)
                result = read(answer)
            except stripe.StripeError as found:
                error = found
                failure = self._failure(found)
            except msgspec.DecodeError as found:
                failure = self._malformed(answer, found)
            else:
                self.counts.waiting = None
                return result
            pause = retries.pause(error, self.timing.now() - started)
            if pause is None:
                raise ConnectorError(replace(failure, message=f"GET {path}: {failure.message}"))
            await self._wait(endpoint, pause, error, failure)

    async def write(self, method: str, path: str, params: Mapping[str, str], key: str) -> Answer:
        """The answer to a write under an idempotency key. `WriteFailedError` records whether it may have been done.

        Every attempt carries the same key, so that nothing is done twice.
        """
        started = self.timing.now()
        endpoint = endpoint_of(method.upper(), path)
        retries = Retries(self.policy, self.timing.random)
        doubted = False
        while True:
            try:
                async with self._limiter.slot(endpoint):
                    return await self._send(path, {**params, "idempotency_key": key}, method)
            except stripe.StripeError as error:
                failure = self._failure(error)
                replayed = (error.headers or {}).get("idempotent-replayed") == "true"
                unknown = may_be_done(error) or (doubted and not is_last_word(error))
                pause = None if replayed else retries.pause(error, self.timing.now() - started)
                if pause is None:
                    failure = replace(failure, message=f"{method.upper()} {path}: {failure.message}")
                    raise WriteFailedError(failure, unknown=unknown, doubted=doubted) from error
                doubted = unknown
                await self._wait(endpoint, pause, error, failure)

    def _failure(self, error: stripe.StripeError) -> Failure:
        place = self.settings.secret_place
        return failure_of(error, self._scrub, base_url=self.settings.base_url, key_set=place)

    async def _send(self, path: str, params: Mapping[str, str], method: str = "get") -> Answer:
        self.counts.requests += 1
        self.counts.open += 1
        try:
            response = await self._sdk.raw_request_async(method, path, **params)
        finally:
            self.counts.open -= 1
        headers = cast("RawHeaders", response.headers)
        self.counts.bytes += len(headers.raw)
        self.counts.api_version = headers.get("stripe-version") or self.settings.api_version
        return Answer(headers.raw, headers)

    async def _wait(self, endpoint: str, pause: float, error: stripe.StripeError | None, failure: Failure) -> None:
        self.counts.retries += 1
        self.counts.waiting = f"{failure.message} (again in {pause:.1f} s)"
        reason = None if error is None else limit_of(error)
        if error is not None and reason is not None:
            self.counts.limited += 1
            self._limiter.rejected(endpoint, reason, pause, "retry-after" in (error.headers or {}))
        await self.timing.sleep(pause)

    def _malformed(self, answer: Answer, error: msgspec.DecodeError) -> Failure:
        return Failure(
            FailureKind.ANSWER,
            f"the answer is not JSON of the expected form: {self._scrub(str(error))}",
            f"check what is between Weir and {self.settings.base_url}: a proxy may have answered",
            request_id=answer.request_id,
        )
