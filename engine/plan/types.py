"""The plan: what a run would do now, as data with a deterministic hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.connector import Read
from engine.graph import Step

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """The requests and rows of a task; None if they cannot be known offline.

    `now` describes the requests that remain if the mirror already has a part of the rows.
    """

    requests: int | None
    rows: int | None
    now: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A step with what a run would do for it now. `needs` are the ids of the tasks it depends on.

    Only extracts have `reads`, how each table is read, parents of nested lists included, and `fresh`, a description of
    how soon a run sees each kind of change.
    """

    step: Step
    action: str
    reason: str
    estimate: Estimate
    needs: tuple[str, ...]
    reads: tuple[Read, ...] = ()
    fresh: str = ""

    @property
    def id(self) -> str:
        """The step's id."""
        return self.step.id


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """What a run needs to know about a connection: a reference to its secret, never the secret."""

    name: str
    connector: str
    agent: str
    timeout_ms: int
    secret: tuple[str, str]
    """Kind (env, file, keyring, command) and the argument."""
    api_version: str
    mode: Literal["test", "live"] | None
    base_url: str | None
    accounts: tuple[str, ...] | Literal["all"] | None
    requests_per_second: float | None
    read_budget: int | None = None
    reread: Mapping[str, float | None] = field(default_factory=dict)
    """By table: seconds between full reads (None: never), for tables that the definition lists."""
    writes_live: bool = False
    """Whether it may write in live mode."""
    optional: tuple[str, ...] = ()
    """Tables that a run can do without."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item that a run skips (inactive), with the reason."""

    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class Beside:
    """Requests to a connection besides its tables: `what` is "events" or "account"."""

    connection: str
    what: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Plan:
    """Tasks in an order in which they can run, and the requests `beside` them. The hash covers everything except itself
    and the estimates: same definitions, same hash."""

    interfaces: tuple[str, ...]
    connections: tuple[ConnectionSettings, ...]
    tasks: tuple[Task, ...]
    skipped: tuple[Skipped, ...]
    hash: str
    beside: tuple[Beside, ...] = ()
    format_version: int = FORMAT_VERSION
