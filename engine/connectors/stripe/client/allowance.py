"""The share of Stripe's rate limits that Weir uses until answers show what the limits are."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

from engine.connector.sandbox import SANDBOX

from .endpoints import ALL, SEARCH
from .settings import API, Key, Settings

LIVE_LIMIT: Final = 100.0
"""Stripe's limit of requests per second for an account in live mode."""
TEST_LIMIT: Final = 25.0
"""The same in test mode."""
ENDPOINT_LIMIT: Final = 25.0
SEARCH_LIMIT: Final = 20.0
SHARE: Final = 0.8
"""The share of a limit that is used where nothing is configured; the rest is left for production traffic."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Requests per second: in total, and initially for each endpoint and for all searches; infinite where unknown.

    `most` is the highest rate that is tried for an endpoint, if it exceeds the initial one.
    """

    total: float = inf
    endpoint: float = inf
    search: float = inf
    most: float = 0.0

    def of(self, name: str) -> tuple[float, float]:
        """The initial rate of a limit (an endpoint's, or `ALL`), and the highest it may reach."""
        if name == ALL:
            return self.total, self.total
        first = self.search if name == SEARCH else self.endpoint
        return first, max(first, self.most)


def allowance(settings: Settings, key: Key) -> Allowance:
    """The rates a connection may use. Only Stripe's own host has known endpoint limits; elsewhere they are learned.

    A total above the usual one of the mode means that Stripe has raised the account's limits; how far it raised those
    of endpoints is then found by probing.
    """
    usual = LIVE_LIMIT if (key.mode or settings.mode) == "live" else TEST_LIMIT
    total = settings.requests_per_second
    if total is None:
        total = inf if settings.secret[0] == SANDBOX else usual * SHARE
    if settings.base_url != API:
        return Allowance(total)
    return Allowance(total, ENDPOINT_LIMIT, SEARCH_LIMIT, total if total > usual else 0.0)
