"""The options of a sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.connector.sandbox import SANDBOX_KEY

ANCHOR: Final = 1_793_404_800
"""2026-10-31T00:00:00Z: the end of the seeded history and the default start of the sandbox's clock."""

SIZES: Final[Mapping[str, int]] = {"empty": 0, "small": 60, "medium": 2_000, "large": 6_000}
"""Number of customers by size.

`small` is about 5,000 objects; `large` takes 15 s and 2 GB."""

DAY: Final = 86_400
EVENT_RETENTION: Final = 30 * DAY
"""How long events are listed, in seconds."""
KEY_RETENTION: Final = DAY
"""How long an idempotency key is valid, in seconds."""


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """An API key that the sandbox accepts.

    `permissions` of None grant everything; a restricted key (`rk_…`) lists its permissions, for example
    `rak_customer_read`. A live key has its own, initially empty store. `account` limits the key to one account.
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
    """The initial state of a sandbox. Equal options produce byte-identical objects.

    `customers` overrides the number of `size`. `accounts` is the number of connected accounts, each with a small
    business of its own. `now` is the clock's start in Unix seconds; with `frozen` the clock moves only on request.
    `event_api_version` is the version of the objects in events, by default that of responses. `event_delay` is the
    number of seconds between an event's `created` and its visibility, `search_lag` the same for writes in search
    results. `control` serves `/_sandbox/`. `state` is the folder that stores the world; the options then apply to its
    first start only.
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
        """Number of customers of the platform's business."""
        return self.customers if self.customers is not None else SIZES[self.size]
