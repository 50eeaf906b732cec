"""How much of Stripe's limits Weir takes before any answer teaches better."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

from engine.connector.sandbox import SANDBOX

from .endpoints import ALL, SEARCH
from .settings import API, Key, Settings

LIVE_LIMIT: Final = 100.0
"""Requests a second that Stripe lets an account make in live mode."""
TEST_LIMIT: Final = 25.0
"""The same in test mode."""
ENDPOINT_LIMIT: Final = 25.0
SEARCH_LIMIT: Final = 20.0
SHARE: Final = 0.8
"""The part of a limit that is taken where nothing is configured: the rest is for what the account is there for."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Requests a second: in total, and at first for each endpoint and for all searches; infinite where none is known.

    `most` is up to where a higher rate is tried for an endpoint, if that is more than it gets at first.
    """

    total: float = inf
    endpoint: float = inf
    search: float = inf
    most: float = 0.0

    def of(self, name: str) -> tuple[float, float]:
        """What a limit (an endpoint's, or `ALL`) begins with, and what it may reach."""
        if name == ALL:
            return self.total, self.total
        first = self.search if name == SEARCH else self.endpoint
        return first, max(first, self.most)


def allowance(settings: Settings, key: Key) -> Allowance:
    """What a connection may take. Only Stripe itself is known to limit endpoints; elsewhere rejections teach it.

    A total above the mode's usual one says that Stripe has raised the account's limits. How far those of endpoints were
    raised is then found by trying.
    """
    usual = LIVE_LIMIT if (key.mode or settings.mode) == "live" else TEST_LIMIT
    total = settings.requests_per_second
    if total is None:
        total = inf if settings.secret[0] == SANDBOX else usual * SHARE
    if settings.base_url != API:
        return Allowance(total)
    return Allowance(total, ENDPOINT_LIMIT, SEARCH_LIMIT, total if total > usual else 0.0)
