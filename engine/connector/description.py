"""Tables described for people: what `weir catalog` shows."""

from __future__ import annotations

from dataclasses import dataclass

from .source_table import SourceTable


@dataclass(frozen=True, slots=True)
class ColumnDescription:
    """A column: its type in the definition language, whether it may be NULL, and what it holds in the provider's words.

    `values` are the known ones of an open set, `references` the tables whose ids it holds. `filters` are the
    comparisons that the provider answers by itself. `expand`: requests ask for it only when a box reads it.
    """

    name: str
    type: str
    nullable: bool
    holds: str
    values: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    expand: bool = False


@dataclass(frozen=True, slots=True)
class WriteDescription:
    """A write: its verb, kind, request, and what it does beyond changing data."""

    verb: str
    kind: str
    method: str
    path: str
    effect: str
    immutable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableDescription:
    """Everything about a table. `reached` is how its rows are reached, `hidden` what the provider never lists."""

    name: str
    path: str
    resources: tuple[str, ...]
    reached: str
    sync: str
    key: tuple[str, ...]
    permission: str
    hidden: str | None
    columns: tuple[ColumnDescription, ...]
    system_columns: tuple[ColumnDescription, ...]
    events: tuple[str, ...]
    writes: tuple[WriteDescription, ...]


@dataclass(frozen=True, slots=True)
class TableSummary:
    """One line of the list of tables. `writes` are the verbs, each once."""

    name: str
    path: str
    sync: str
    columns: int
    filters: tuple[str, ...]
    events: int
    writes: tuple[str, ...]


def describe_source_table(table: SourceTable, *, path: str = "", sync: str = "") -> TableDescription:
    """The description of a table as far as the catalogue knows it. `path` is its list's; `sync` how it is kept up to
    date."""
    columns = [
        ColumnDescription(
            column.name,
            str(column.type),
            not column.required,
            column.description,
            filters=tuple(sorted(each.value for each in table.filters.get(column.name, ()))),
        )
        for column in table.relation
    ]
    own = sum(not column.name.startswith("_") for column in table.relation)
    return TableDescription(
        name=table.name,
        path=path,
        resources=(),
        reached=table.description,
        sync=sync,
        key=table.key,
        permission="",
        hidden=None,
        columns=tuple(columns[:own]),
        system_columns=tuple(columns[own:]),
        events=(),
        writes=(),
    )


def summarise_source_table(table: SourceTable, *, path: str = "", sync: str = "") -> TableSummary:
    """The table's line in the list; parameters as in `describe_source_table`."""
    own = sum(not column.name.startswith("_") for column in table.relation)
    return TableSummary(table.name, path, sync, own, tuple(table.filters), 0, ())
