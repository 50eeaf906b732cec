"""What the engine asks of a connector. Implemented in `connectors/`, proven by `testing.connector_suite`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from .description import TableDescription, TableSummary, describe_source_table, summarise_source_table
from .failure import ConnectorError, Failure, FailureKind
from .mirror import Mirror
from .need import Need, Read
from .secret_policy import SecretPattern
from .source_table import SourceCatalogue
from .writing import Writer


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
    """A kind of system that Weir reaches. Only `check`, `accounts`, `writer` and `stage` reach it or need a secret.

    A connector may inherit from this class: members whose documentation names a default then have it.
    """

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
        """Fields of the connection form that are accepted and do nothing here. Default: none."""
        return frozenset()

    @property
    def key_variable(self) -> str:
        """The environment variable that `weir new connection` proposes for the key."""
        ...

    @property
    def secret_patterns(self) -> tuple[SecretPattern, ...]:
        """The forms of the provider's secrets: Weir refuses them in definitions and hides them in all output."""
        ...

    @property
    def page_rows(self) -> int:
        """The most rows that one request for a list returns; estimates count with it."""
        ...

    @property
    def currencies(self) -> Mapping[str, int]:
        """By currency, in lower case: the decimals of an amount in the smallest unit, as the provider counts them.

        `weir.amount` uses it. Default: none, for a provider that writes no such amounts.
        """
        return {}

    @property
    def libraries(self) -> tuple[str, ...]:
        """The distributions whose versions `weir doctor` shows. Default: none."""
        return ()

    @property
    def has_sandbox(self) -> bool:
        """Whether `base_url: sandbox` works: the embedded sandbox simulates this provider. Default: it does not."""
        return False

    @property
    def stage(self) -> str:
        """`module:function` that extracts a partition in a worker (see `engine.run.ports.records.executor`)."""
        ...

    def catalogue(self, api_version: str | None) -> SourceCatalogue:
        """The tables at this API version (None: the connector's own). KeyError for one it does not know."""
        ...

    def summaries(self) -> tuple[TableSummary, ...]:
        """A line about each table, in order of name. Default: what the catalogue knows."""
        tables = self.catalogue(None).tables
        return tuple(summarise_source_table(tables[name]) for name in sorted(tables))

    def describe(self, table: str) -> TableDescription:
        """Everything about a table, for people. KeyError for an unknown one. Default: what the catalogue knows."""
        return describe_source_table(self.catalogue(None).tables[table], sync=str(self.freshness(table, {})))

    def starter(self) -> Mapping[str, str]:
        """The example of `weir init`, by path: one connection, and interfaces, schemas and tests. Default: none."""
        return {}

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

    def accounts(self, config: Mapping[str, object], sent: Callable[[int], None]) -> tuple[str, ...]:  # noqa: ARG002
        """The accounts that are connected to the key's own, sorted. Raises `ConnectorError`.

        In either case `sent` is called with the number of requests. Default: `ConnectorError`, for a provider without
        connected accounts.
        """
        sent(0)
        message = f"`{self.name}` has no connected accounts"
        raise ConnectorError(Failure(FailureKind.REQUEST, message, "delete `accounts` from the connection"))

    def writer(self, config: Mapping[str, object]) -> Writer:  # noqa: ARG002
        """What sends writes; making it reaches nobody. `config` is that of the extraction.

        Default: `ConnectorError`, for a connector whose catalogue has no `targets`.
        """
        raise ConnectorError(Failure(FailureKind.GRANT, f"`{self.name}` writes nothing"))

    def check(self, config: Mapping[str, object], tables: Sequence[str]) -> CheckReport:
        """Reach the provider, say who and what it is, and probe each of `tables`. Never raises `ConnectorError`."""
        ...
