"""Rate limits: token buckets and a limit on requests in flight."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ApiError
from ..options import RateLimits


class TokenBucket:
    """A token bucket with the capacity of one second, at least one token."""

    def __init__(self, rate: float, elapsed: Callable[[], float]) -> None:
        self._rate = rate
        self._elapsed = elapsed
        self._tokens = max(1.0, rate)
        self._mark = elapsed()

    def take(self) -> bool:
        """Take a token if available."""
        now = self._elapsed()
        self._tokens = min(max(1.0, self._rate), self._tokens + (now - self._mark) * self._rate)
        self._mark = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class RateLimiter:
    """Rejects requests beyond the limits with 429 and the reason."""

    def __init__(self, limits: RateLimits, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self.in_flight = 0
        self.set(limits)

    def set(self, limits: RateLimits) -> None:
        """Change the limits."""
        self.limits = limits
        self._all = TokenBucket(limits.per_second, self._elapsed) if limits.per_second else None
        self._endpoints: dict[str, TokenBucket] = {}

    def check(self, endpoint: str) -> None:
        """Count a request to this endpoint. 429 if it exceeds a limit."""
        limits = self.limits
        if limits.in_flight and self.in_flight > limits.in_flight:
            raise too_many("global-concurrency", limits.retry_after)
        if limits.per_endpoint:
            bucket = self._endpoints.setdefault(endpoint, TokenBucket(limits.per_endpoint, self._elapsed))
            if not bucket.take():
                raise too_many("endpoint-rate", limits.retry_after)
        if self._all is not None and not self._all.take():
            raise too_many("global-rate", limits.retry_after)


def too_many(reason: str | None, retry_after: int = 0) -> ApiError:
    """A 429. Without a reason it is a lock timeout."""
    headers = {"Stripe-Should-Retry": "true"}
    if retry_after:
        headers["Retry-After"] = str(retry_after)
    if reason is None:
        return ApiError(
            429,
            "This object cannot be accessed right now because another API request or Stripe process is currently "
            "accessing it.",
            code="lock_timeout",
            headers=headers,
        )
    headers["Stripe-Rate-Limited-Reason"] = reason
    return ApiError(429, "Request rate limit exceeded.", code="rate_limit", headers=headers)
