"""The views that a box reads: one for each table it names, over an attached file or empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import duckdb

from engine.connector import MIRROR_TABLES, MirrorInstant
from engine.graph import CHANGED_NAMESPACE, QUALIFIED, SCHEMA_NAMESPACE, WEIR_NAMESPACE
from engine.relation import Relation

from ..columns import describe
from ..files import attach
from ..quoting import quote_literal, quote_name
from ..staging.file import read_file
from ..staging.sweep import OUT_OF_SIGHT
from ..system_columns import CHANGED_AT, DELETED_AT, READ_AT
from ..types import sql_type
from .check import TableName

ALL_SUFFIX: Final = "_all"
"""`customers_all` has the rows of `customers` and the tombstones of deleted objects."""

Content = Literal["mirror", "changed", "weir", "schema"]
"""The part of a file that a namespace shows: the provider's rows, only the changed rows, the mirror's own records
(`weir`), or the Schema's tables."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A DuckDB file (which may not exist yet) and the relations of its tables. `since` bounds the changed rows."""

    path: Path
    relations: Mapping[str, Relation]
    content: Content
    since: MirrorInstant | None = None
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        names = set(self.relations)
        if self.tombstones:
            names |= {name + ALL_SUFFIX for name in self.relations}
        object.__setattr__(self, "names", frozenset(name.casefold() for name in names))

    @property
    def tombstones(self) -> bool:
        """Whether the tables have tombstones, which `_all` shows."""
        return self.content in ("mirror", "changed")

    @property
    def schema(self) -> str:
        """The database schema of the tables."""
        return WEIR_NAMESPACE if self.content == "weir" else "main"

    def view(self, name: str) -> tuple[str, bool]:
        """The table behind a visible name, and whether the name includes tombstones."""
        table = self._find(name)
        if table is not None:
            return table, not self.tombstones
        table = self._find(name.removesuffix(ALL_SUFFIX))
        if table is None:
            raise KeyError(name)
        return table, True

    def _find(self, name: str) -> str | None:
        return next((each for each in self.relations if each.casefold() == name.casefold()), None)


def with_mirror(scope: Mapping[str, Namespace], since: MirrorInstant | None) -> dict[str, Namespace]:
    """The scope plus two namespaces of its first connection: its changed rows and the mirror's own records."""
    own = next((each for name, each in scope.items() if name != SCHEMA_NAMESPACE), None)
    if own is None:
        return dict(scope)
    changed = Namespace(own.path, own.relations, "changed", since)
    return {**scope, CHANGED_NAMESPACE: changed, WEIR_NAMESPACE: Namespace(own.path, MIRROR_TABLES, "weir")}


def make_views(
    connection: duckdb.DuckDBPyConnection,
    namespaces: Mapping[str, Namespace],
    named: frozenset[TableName],
    newest: frozenset[TableName],
) -> MirrorInstant | None:
    """Attach the files of the `named` tables and create their views; bare names resolve in the order of `namespaces`.

    Tables in `newest` show only the rows of the latest read: a read with a limit does not refresh the others. Returns
    the position of the mirror whose changed rows are visible, or None.
    """
    files: dict[Path, _File] = {}
    seen = None
    for name, namespace in namespaces.items():
        connection.execute(f"CREATE SCHEMA {quote_name(name)}")
        wanted = sorted(each.table for each in named if each.namespace == name)
        if not wanted:
            continue
        if namespace.path not in files:
            files[namespace.path] = _attached(connection, namespace.path, f"weir_file_{len(files)}")
        file = files[namespace.path]
        if namespace.content == "changed":
            seen = file.position
        for each in wanted:
            latest = TableName(name, each) in newest
            _make_view(connection, name, each, namespace, file, latest=latest)
    path = ",".join(quote_name(name) for name in namespaces if name not in QUALIFIED)
    connection.execute(f"SET search_path = {quote_literal(path)}")
    return seen


@dataclass(frozen=True, slots=True)
class _File:
    """A file: the database name it is attached as (None: no such file), and its position if it is a mirror."""

    database: str | None
    position: MirrorInstant | None


def _attached(connection: duckdb.DuckDBPyConnection, path: Path, database: str) -> _File:
    if not path.exists():
        return _File(None, None)
    attach(connection, path, database, read_only=True)
    return _File(database, read_file(connection, database))


def _make_view(
    connection: duckdb.DuckDBPyConnection, schema: str, name: str, namespace: Namespace, file: _File, *, latest: bool
) -> None:
    table, everything = namespace.view(name)
    source = f"{file.database}.{namespace.schema}.{quote_name(table)}"
    found = describe(connection, source) if file.database is not None else {}
    present = {name.casefold() for name in found}
    columns = ", ".join(
        quote_name(column.name)
        if column.name.casefold() in present
        else f"NULL::{sql_type(column.type)} AS {quote_name(column.name)}"
        for column in namespace.relations[table]
    )
    view = f"CREATE VIEW {quote_name(schema)}.{quote_name(name)} AS SELECT {columns}"
    if not present:
        connection.execute(f"{view} WHERE FALSE")
        return
    conditions = []
    if namespace.tombstones:
        conditions.append(f"{DELETED_AT} IS DISTINCT FROM {OUT_OF_SIGHT}" if everything else f"{DELETED_AT} IS NULL")
    if latest and not everything:
        conditions.append(f"{READ_AT} = (SELECT max({READ_AT}) FROM {source})")
    since = namespace.since
    if since is not None and since.leads_to(file.position) and CHANGED_AT in present:
        bound = quote_literal(f"{since.changed_at:%Y-%m-%d %H:%M:%S.%f}")
        conditions.append(f"({CHANGED_AT} > TIMESTAMP {bound} OR {CHANGED_AT} IS NULL)")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    connection.execute(f"{view} FROM {source}{where}")
