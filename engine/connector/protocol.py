"""What the engine asks of a connector. Implemented in `connectors/`, proven by `testing.connector_suite`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.relation import Relation

from .failure import Failure
from .mirror import Mirror
from .need import Need, Op, Predicate, Read
from .secret_policy import SecretPattern
from .target import Targets
from .writing import Writer


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table that a connector can read.

    `relation` holds the provider's columns followed by the system columns (`_account`, `_livemode`, `_api_version`,
    `_read_at`, `_changed_at`, `_source`, `_deleted_at`, `_extra`). `filters` are the columns whose comparisons the
    provider can answer. `key` identifies a row within an account. `created` names the column that orders the list, if
    any. `open` says which rows are not final: those may change without notice (a disjunction; none for all others).
    """

    name: str
    relation: Relation
    key: tuple[str, ...]
    description: str
    filters: Mapping[str, frozenset[Op]]
    created: str | None = None
    open: tuple[tuple[Predicate, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class SourceCatalogue:
    """Everything that a connector can read at one API version; known offline."""

    api_version: str
    tables: Mapping[str, SourceTable]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Lists that are no tables, with the reason."""
    targets: Targets | None = None
    """What can be written; None: nothing."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When and how often. `now` is this machine's time. `reread` says by table after how many seconds all of it is read
    again (None: never), where the definition says so. `events` is false where events cannot be read; `lost` is set when
    the provider does not tell them any more from that moment on."""

    now: datetime
    reread: Mapping[str, float | None] = field(default_factory=dict)
    events: bool = True
    lost: datetime | None = None


@dataclass(frozen=True, slots=True)
class Freshness:
    """How a table is kept up to date. `kind` is its class, in the connector's words; `seen` says when a run sees which
    kind of change. After `reread_seconds` all of it is read again (None: never; 0: by every run). `followed` ones are
    kept current by what the provider tells of changes."""

    kind: str
    seen: str
    reread_seconds: float | None
    followed: bool

    def __str__(self) -> str:
        return f"{self.kind}: {self.seen}"


class Verdict(StrEnum):
    """How one probe of a connection test went."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Probe:
    """One line of a connection test. `latency_ms` is the wall time of its request."""

    name: str
    verdict: Verdict
    message: str
    latency_ms: float | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `test-connection` found. `facts` are name → text (account, mode, API version …), shown in order. `requests`
    are all that it sent."""

    connection: str
    ok: bool
    facts: Mapping[str, str]
    probes: tuple[Probe, ...]
    requests: int = 0


class Connector(Protocol):
    """A kind of system Weir reaches. Everything but `check` and `accounts` is offline and needs no secret."""

    @property
    def name(self) -> str:
        """The word used in `connector:`."""
        ...

    @property
    def title(self) -> str:
        """The product's name, for people."""
        ...

    @property
    def category(self) -> str:
        """Where the gallery lists it ("Billing")."""
        ...

    @property
    def unused_fields(self) -> frozenset[str]:
        """Fields of the connection form that are accepted and do nothing here."""
        ...

    @property
    def secret_patterns(self) -> tuple[SecretPattern, ...]:
        """The forms of the provider's secrets: Weir refuses them in definitions and hides them in all output."""
        ...

    @property
    def stage(self) -> str:
        """`module:function` that extracts a partition in a worker (see `engine.run.ports.records.executor`)."""
        ...

    def catalogue(self, api_version: str | None) -> SourceCatalogue:
        """The tables at this API version (None: the connector's own). KeyError for one it does not know."""
        ...

    def plan_reads(self, needs: Sequence[Need]) -> tuple[Read, ...]:
        """The fewest requests that give every need: one `Read` a table, tables in order of name."""
        ...

    def refresh(self, reads: Sequence[Read], mirror: Mirror, pace: Pace) -> tuple[Read, ...]:
        """What must be asked for now so that the account's mirror gives what `reads` would, as of now.

        Reads that need nothing are among them with `options` that ask for nothing; further ones may join them, such as
        one of what has changed. Their `why` says what is left to do.
        """
        ...

    def freshness(self, table: str, reread: Mapping[str, float | None]) -> Freshness:
        """How a table is kept up to date; `reread` as in `Pace`. KeyError for an unknown table."""
        ...

    def accounts(self, config: Mapping[str, object], sent: Callable[[int], None]) -> tuple[str, ...]:
        """The accounts that are connected to the key's own, sorted. Raises `ConnectorError`.

        In either case `sent` is told how many requests that took.
        """
        ...

    def writer(self, config: Mapping[str, object]) -> Writer:
        """What sends writes; it reaches nobody before it is asked to. `config` is that of the extraction."""
        ...

    def check(self, config: Mapping[str, object], tables: Sequence[str]) -> CheckReport:
        """Reach the provider, say who and what it is, and probe each of `tables`. Never raises `ConnectorError`."""
        ...
