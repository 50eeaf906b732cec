"""What a box sees: a view for each table that it names, over the attached files or over nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from engine.graph import SCHEMA_NAMESPACE
from engine.relation import Relation

from .box_check import TableName
from .files import attach
from .quoting import quote_literal, quote_name
from .staging_sweep import OUT_OF_SIGHT
from .system_columns import DELETED_AT, READ_AT
from .types import sql_type

ALL_SUFFIX = "_all"
"""`customers_all` holds the rows of `customers` and those that are gone at the provider."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A DuckDB file (which may not exist yet) and the relations of its tables. `tombstones`: a mirror, with `_all`."""

    path: Path
    relations: Mapping[str, Relation]
    tombstones: bool
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        names = set(self.relations)
        if self.tombstones:
            names |= {name + ALL_SUFFIX for name in self.relations}
        object.__setattr__(self, "names", frozenset(name.casefold() for name in names))

    def view(self, name: str) -> tuple[str, bool]:
        """The table behind a visible name, and whether the rows that are gone belong to it."""
        table = self._find(name)
        if table is not None:
            return table, not self.tombstones
        table = self._find(name.removesuffix(ALL_SUFFIX))
        if table is None:
            raise KeyError(name)
        return table, True

    def _find(self, name: str) -> str | None:
        return next((each for each in self.relations if each.casefold() == name.casefold()), None)


def make_views(
    connection: duckdb.DuckDBPyConnection,
    namespaces: Mapping[str, Namespace],
    named: frozenset[TableName],
    newest: frozenset[TableName],
) -> None:
    """Attach the files of the tables that are `named` and make their views; look names up in `namespaces`' order.

    Of the tables in `newest` only the rows of the latest read are seen: a read with a limit does not say what has
    become of all others.
    """
    for index, (name, namespace) in enumerate(namespaces.items()):
        connection.execute(f"CREATE SCHEMA {quote_name(name)}")
        wanted = sorted(each.table for each in named if each.namespace == name)
        if not wanted:
            continue
        database = f"weir_file_{index}"
        physical: dict[str, set[str]] = {}
        if namespace.path.exists():
            attach(connection, namespace.path, database, read_only=True)
            physical = _columns(connection, database)
        for each in wanted:
            latest = TableName(name, each) in newest
            _make_view(connection, name, each, namespace, database, physical, latest=latest)
    path = ",".join(quote_name(name) for name in namespaces)
    connection.execute(f"SET search_path = {quote_literal(path)}")


def _make_view(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    name: str,
    namespace: Namespace,
    database: str,
    physical: Mapping[str, set[str]],
    *,
    latest: bool,
) -> None:
    table, everything = namespace.view(name)
    there = physical.get(table.casefold())
    columns = ", ".join(
        quote_name(column.name)
        if there is not None and column.name.casefold() in there
        else f"NULL::{sql_type(column.type)} AS {quote_name(column.name)}"
        for column in namespace.relations[table]
    )
    view = f"CREATE VIEW {quote_name(schema)}.{quote_name(name)} AS SELECT {columns}"
    if there is None:
        connection.execute(f"{view} WHERE FALSE")
        return
    source = f"{database}.main.{quote_name(table)}"
    live = ""
    if namespace.tombstones:
        known = f"{DELETED_AT} IS DISTINCT FROM {OUT_OF_SIGHT}"
        live = f" WHERE {known if everything else f'{DELETED_AT} IS NULL'}"
    if latest and not everything:
        live += f" AND {READ_AT} = (SELECT max({READ_AT}) FROM {source})"
    connection.execute(f"{view} FROM {source}{live}")


def _columns(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    rows = connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = $name AND schema_name = 'main'",
        {"name": database},
    ).fetchall()
    for table, column in rows:
        found.setdefault(table.casefold(), set()).add(column.casefold())
    return found


def schema_namespace(path: Path, relations: Mapping[str, Relation]) -> tuple[str, Namespace]:
    """The Schema as a namespace."""
    return SCHEMA_NAMESPACE, Namespace(path, relations, tombstones=False)
