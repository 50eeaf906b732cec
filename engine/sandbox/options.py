"""What a sandbox can be told when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.connector.sandbox import SANDBOX_KEY

ANCHOR: Final = 1_793_404_800
"""2026-10-31T00:00:00Z: the moment at which the seeded business stands and the sandbox's clock starts."""

SIZES: Final[Mapping[str, int]] = {"empty": 0, "small": 60, "medium": 2_000, "large": 6_000}
"""Number of customers by the name of a size.

`small` is about 5,000 objects; `large` takes a quarter of a minute and 2 GB."""

DAY: Final = 86_400
EVENT_RETENTION: Final = 30 * DAY
"""How long events can be listed, in seconds."""
KEY_RETENTION: Final = DAY
"""How long an idempotency key is remembered, in seconds."""


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """An API key that the sandbox accepts.

    `permissions` of None open everything; a restricted key (`rk_…`) lists the ones that it has, for example
    `rak_customer_read`. A live key sees its own, empty store. `account` limits the key to one account (its own).
    """

    key: str
    permissions: frozenset[str] | None = None
    livemode: bool = False
    account: str | None = None


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Requests per second and in flight; 0 means no limit. A bucket holds one second's worth."""

    per_second: float = 0
    per_endpoint: float = 0
    in_flight: int = 0
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """A sandbox as it starts. The same options give byte-identical objects.

    `customers` overrides the number that `size` stands for. `accounts` is the number of connected accounts, each with
    a small business of its own. `now` is the clock's start in Unix seconds; with `frozen` it stands still until it is
    told to move. `event_api_version` renders the objects in events at another version than the one answered
    otherwise. `event_delay` is how many seconds an event stays invisible after its `created`. `search_lag` is how many
    seconds a write stays invisible to search. `control` serves `/_sandbox/`. `state` is a folder in which the world is
    kept: then it begins as these options say only once.
    """

    host: str = "127.0.0.1"
    port: int = 0
    size: str = "small"
    customers: int | None = None
    accounts: int = 0
    seed: int = 1
    now: int = ANCHOR
    frozen: bool = False
    keys: tuple[KeyGrant, ...] = (KeyGrant(SANDBOX_KEY),)
    limits: RateLimits = field(default_factory=RateLimits)
    event_api_version: str | None = None
    event_delay: int = 0
    search_lag: int = 0
    pretty: bool = False
    control: bool = True
    until_stdin_closes: bool = False
    state: str | None = None

    @property
    def customer_count(self) -> int:
        """How many customers the platform's business has."""
        return self.customers if self.customers is not None else SIZES[self.size]
