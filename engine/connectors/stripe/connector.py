"""Stripe as a connector: everything but `check` and `accounts` is offline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from types import MappingProxyType
from typing import Final, cast

from engine.connector import (
    CheckReport,
    Freshness,
    Mirror,
    Need,
    Op,
    Pace,
    Read,
    SecretPattern,
    SourceCatalogue,
    SourceTable,
    TableDescription,
    TableSummary,
    TimestampFormat,
    Writer,
)

from .catalogue import FilterKind, Table, load_catalogue, table_relation
from .currencies import DECIMALS
from .planning.reads import PAGE_SIZE, plan_reads
from .secret_patterns import SECRET_PATTERNS
from .sync.refresh import refresh_reads
from .sync.sync_rules import OPEN, freshness_of
from .write import StripeTargets

_COMPARISONS: Final = frozenset({Op.EQ, Op.IN, Op.LT, Op.LE, Op.GT, Op.GE})
_STARTER: Final = MappingProxyType(
    {
        "connections/stripe_main.yaml": "connection.tmpl",
        "interfaces/customers.yaml": "interface.tmpl",
        "interfaces/customers.test.yaml": "case.tmpl",
        "schemas/customers.yaml": "schema.tmpl",
    }
)
_EQUALITIES: Final = frozenset({Op.EQ, Op.IN})


@dataclass(frozen=True, slots=True)
class StripeConnector:
    """The Stripe connector of the pinned API version."""

    @property
    def name(self) -> str:
        """`stripe`."""
        return "stripe"

    @property
    def title(self) -> str:
        """`Stripe`."""
        return "Stripe"

    @property
    def category(self) -> str:
        """`Billing`."""
        return "Billing"

    @property
    def unused_fields(self) -> frozenset[str]:
        """Stripe's times are Unix seconds: there is no format to set."""
        return frozenset({"datetime_format"})

    @property
    def key_variable(self) -> str:
        """`STRIPE_SECRET_KEY`."""
        return "STRIPE_SECRET_KEY"

    @property
    def secret_patterns(self) -> tuple[SecretPattern, ...]:
        """See `secret_patterns.SECRET_PATTERNS`."""
        return SECRET_PATTERNS

    @property
    def page_rows(self) -> int:
        """Stripe's largest page."""
        return PAGE_SIZE

    @property
    def currencies(self) -> Mapping[str, int]:
        """See `currencies.DECIMALS`."""
        return DECIMALS

    @property
    def libraries(self) -> tuple[str, ...]:
        """The SDK."""
        return ("stripe",)

    @property
    def has_sandbox(self) -> bool:
        """The embedded sandbox simulates Stripe."""
        return True

    @property
    def stage(self) -> str:
        """The function that extracts a partition."""
        return "engine.connectors.stripe.extract:extract_partition"

    def catalogue(self, api_version: str | None) -> SourceCatalogue:
        """The tables of the pinned API version. KeyError for any other: its fields are not known here."""
        known = load_catalogue().api_version
        if api_version not in (None, known):
            raise KeyError(f"the catalogue knows API version {known}, not {api_version}")
        return _source_catalogue()

    def summaries(self) -> tuple[TableSummary, ...]:
        """See `describe.summarise_tables`."""
        found = import_module(f"{__package__}.describe").summarise_tables()
        return cast("tuple[TableSummary, ...]", found)

    def describe(self, table: str) -> TableDescription:
        """See `describe.describe_table`."""
        return cast("TableDescription", import_module(f"{__package__}.describe").describe_table(table))

    def starter(self) -> Mapping[str, str]:
        """Customers of an account, in the embedded sandbox."""
        folder = files(f"{__package__}.templates")
        return {path: folder.joinpath(name).read_text(encoding="utf-8") for path, name in _STARTER.items()}

    def plan_reads(self, needs: Sequence[Need]) -> tuple[Read, ...]:
        """See `reads.plan_reads`."""
        return plan_reads(needs)

    def refresh(self, reads: Sequence[Read], mirror: Mirror, pace: Pace) -> tuple[Read, ...]:
        """See `refresh.refresh_reads`."""
        return refresh_reads(reads, mirror, pace)

    def freshness(self, table: str, reread: Mapping[str, float | None]) -> Freshness:
        """See `sync_rules.freshness_of`."""
        return freshness_of(table, reread)

    def accounts(self, config: Mapping[str, object], sent: Callable[[int], None]) -> tuple[str, ...]:
        """See `accounts.list_accounts`. Only now is the SDK imported."""
        found = import_module(f"{__package__}.accounts").list_accounts(config, sent)
        return cast("tuple[str, ...]", found)

    def writer(self, config: Mapping[str, object]) -> Writer:
        """See `write.writer.StripeWriter`. Only now is the SDK imported."""
        made = import_module(f"{__package__}.write.writer").StripeWriter(config)
        return cast("Writer", made)

    def check(self, config: Mapping[str, object], tables: Sequence[str]) -> CheckReport:
        """Reach Stripe and probe each of `tables`. Only now is the SDK imported."""
        check = import_module(f"{__package__}.check").check_connection
        return cast("CheckReport", check(config, tables))


CONNECTOR: Final = StripeConnector()


@cache
def _source_catalogue() -> SourceCatalogue:
    catalogue = load_catalogue()
    tables = {name: _source_table(table) for name, table in catalogue.tables.items()}
    return SourceCatalogue(catalogue.api_version, tables, catalogue.unreadable, StripeTargets())


def _source_table(table: Table) -> SourceTable:
    return SourceTable(
        name=table.name,
        relation=table_relation(table.name),
        key=table.key,
        description=_description(table),
        filters=column_filters(table),
        created=table.created if table.newest_first else None,
        open=OPEN.get(table.name, ()),
        timestamps=TimestampFormat.UNIX_SECONDS_OR_RFC_3339,
    )


def _description(table: Table) -> str:
    hidden = f"; without {table.hidden}" if table.hidden else ""
    return f"{' or '.join(table.resources)} objects of `{table.path}`{hidden}"


def column_filters(table: Table) -> dict[str, frozenset[Op]]:
    """The columns whose comparisons Stripe answers, and which comparisons, in order of name."""
    found: dict[str, frozenset[Op]] = {}
    if table.created is not None:
        found[table.created] = _COMPARISONS
    for each in table.filters:
        if each.column is not None:
            ranged = each.kind is FilterKind.RANGE
            found[each.column] = found.get(each.column, frozenset()) | (_COMPARISONS if ranged else _EQUALITIES)
    parents = (parent.field for parent in table.parents if len(table.parents) == 1)
    for column in (*parents, *(("id",) if table.retrieve else ())):
        found[column] = found.get(column, frozenset()) | _EQUALITIES
    return dict(sorted(found.items()))
