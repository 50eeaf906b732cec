"""Rate limits of the benchmark server, in total and per endpoint, with Stripe's responses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

SAVED_SECONDS = 0.1
"""The burst, as a part of the limit."""


@dataclass
class Limits:
    """Zero means no limit. `refused` counts the 429s."""

    total: float
    endpoint: float
    now: Callable[[], float]
    refused: int = 0
    _tokens: dict[str, tuple[float, float]] = field(default_factory=dict)

    def refuse(self, path: str) -> str | None:
        """Count a request. Returns the reason of a rejection, or None."""
        reason = None
        if not self._take(path, self.endpoint):
            reason = "endpoint-rate"
        elif not self._take("", self.total):
            reason = "global-rate"
        self.refused += reason is not None
        return reason

    def _take(self, name: str, rate: float) -> bool:
        if not rate:
            return True
        now, most = self.now(), max(1.0, rate * SAVED_SECONDS)
        tokens, since = self._tokens.get(name, (most, now))
        tokens = min(most, tokens + (now - since) * rate)
        enough = tokens >= 1
        self._tokens[name] = (tokens - enough, now)
        return enough
