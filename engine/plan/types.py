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
    """How many requests and rows a task will cost; None where it cannot be known offline.

    `now` says in words what is left to ask for, where the mirror has a part of it.
    """

    requests: int | None
    rows: int | None
    now: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A step with what would be done for it now. `needs` are the ids of the tasks it waits for.

    `reads` belongs to extracts: how each table is read, parents of nested lists included; and `fresh`: when a run sees
    which kind of change, in words.
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
    """What a run needs to know of a connection: the reference to its secret, never the secret."""

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
    """By table: after how many seconds all of it is read again (None: never), where the definition says so."""
    writes_live: bool = False
    """Whether it may write in live mode."""
    optional: tuple[str, ...] = ()
    """Tables that a run may go on without."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item that a run leaves out (inactive), with the reason."""

    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What a connection is asked beside its tables: `what` is "events" or "account"."""

    connection: str
    what: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Plan:
    """Tasks in an order in which they can run, and what is asked `beside` them. The hash covers everything but itself
    and what is estimated: same definitions, same hash."""

    interfaces: tuple[str, ...]
    connections: tuple[ConnectionSettings, ...]
    tasks: tuple[Task, ...]
    skipped: tuple[Skipped, ...]
    hash: str
    beside: tuple[Beside, ...] = ()
    format_version: int = FORMAT_VERSION
