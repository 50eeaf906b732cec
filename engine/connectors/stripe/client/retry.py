"""Whether and when a request is retried: full jitter, bounded by a number of attempts and a span of time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from .limiter import ENDPOINT_RATE
from .sdk import stripe
from .transport import ConnectionFailed

_REASON: Final = "stripe-rate-limited-reason"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Bounds of the retries of one request.

    `tries` bounds all attempts except rejections by a rate limit, which only `rate_seconds` bounds: a limit is not a
    fault and passes. No retry begins later than `seconds` after the first attempt. Pauses grow from `first` to
    `longest` seconds; `Retry-After` is honoured up to `longest_asked` seconds.
    """

    tries: int = 8
    timeouts: int = 3
    seconds: float = 180.0
    rate_seconds: float = 600.0
    first: float = 0.25
    longest: float = 16.0
    longest_asked: float = 60.0


@dataclass(slots=True)
class Retries:
    """The attempts of one request so far. `random` gives numbers in [0, 1)."""

    policy: RetryPolicy
    random: Callable[[], float]
    faults: int = 0
    timeouts: int = 0
    limited: int = 0

    def pause(self, error: stripe.StripeError | None, elapsed: float) -> float | None:
        """Seconds to wait before the next attempt, or None to give up. No error: the answer was malformed."""
        if error is not None and limit_of(error) is not None:
            self.limited += 1
            return self._bounded(self._jitter(self.limited), error, elapsed, self.policy.rate_seconds)
        if error is not None and not _may_help(error):
            return None
        self.faults += 1
        self.timeouts += isinstance(error, ConnectionFailed) and error.timed_out
        if self.faults >= self.policy.tries or self.timeouts >= self.policy.timeouts:
            return None
        return self._bounded(self._jitter(self.faults), error, elapsed, self.policy.seconds)

    def _jitter(self, times: int) -> float:
        ceiling: float = min(self.policy.longest, self.policy.first * 2 ** min(times - 1, 30))
        return self.random() * ceiling

    def _bounded(self, pause: float, error: stripe.StripeError | None, elapsed: float, seconds: float) -> float | None:
        asked = _asked(error.headers) if error is not None else None
        if asked is not None:
            pause += min(asked, self.policy.longest_asked)
        return pause if elapsed + pause <= seconds else None


def limit_of(error: stripe.StripeError) -> str | None:
    """The limit that was hit, in Stripe's terms; empty where it names none. None: it was not a limit.

    A 429 without a reason is a lock that another request holds, unless its code marks it as a limit. Some limits of a
    single endpoint answer 400.
    """
    if error.http_status not in (400, 429):
        return None
    reason = (error.headers or {}).get(_REASON)
    if reason:
        return reason
    body = error.json_body
    detail = body.get("error") if isinstance(body, dict) else None
    detail = detail if isinstance(detail, dict) else {}
    if detail.get("code") != "rate_limit" and detail.get("type") != "rate_limit_error":
        return None
    return ENDPOINT_RATE if error.http_status == 400 else ""


def may_be_done(error: stripe.StripeError) -> bool:
    """Whether a write with this answer may have been done: no complete answer, or an error on the provider's side."""
    return isinstance(error, ConnectionFailed) or (error.http_status or 0) >= 500 or error.http_status == 409


def is_last_word(error: stripe.StripeError) -> bool:
    """Whether a refusal proves that no earlier attempt was done: under a known idempotency key Stripe repeats the first
    answer, unless it rejects the request before it looks at the key."""
    status = error.http_status or 0
    return 400 <= status < 500 and status not in (401, 403, 409, 429) and limit_of(error) is None


def _may_help(error: stripe.StripeError) -> bool:
    if isinstance(error, ConnectionFailed):
        return True
    match (error.headers or {}).get("stripe-should-retry"):
        case "true":
            return True
        case "false":
            return False
    status = error.http_status or 0
    return status in (409, 429) or status >= 500


def _asked(headers: Mapping[str, str] | None) -> float | None:
    """`Retry-After` in seconds; None when it is missing or no number."""
    try:
        seconds = float((headers or {}).get("retry-after", ""))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
