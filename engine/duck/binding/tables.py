"""The binder's empty tables, created when a box first mentions them and shared by connections with equal catalogues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import duckdb

from engine.graph import CHANGED_NAMESPACE, QUALIFIED, SCHEMA_NAMESPACE, WEIR_NAMESPACE, Scope
from engine.relation import Relation

from ..quoting import quote_literal, quote_name
from ..types import sql_type

ALL_SUFFIX: Final = "_all"
"""`customers_all` includes rows that the provider has deleted; `customers` does not."""

_DELETED_AT: Final = "_deleted_at"


@dataclass(frozen=True, slots=True)
class BoundTable:
    """A table of the binder's database and the table it represents. `limited`: whether a LIMIT may be pushed down."""

    namespace: str
    table: str
    relation: Relation
    limited: bool = True


@dataclass(slots=True)
class Shelf:
    """A schema of the binder's database with those of `tables` that a box has mentioned.

    `names` maps each visible name, casefolded, to its table.
    """

    schema: str
    tables: Mapping[str, Relation]
    names: dict[str, str] = field(default_factory=dict)
    visible: frozenset[str] = frozenset()
    made: dict[str, BoundTable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table, relation in self.tables.items():
            self.names[table.casefold()] = table
            if relation.find(_DELETED_AT) is not None:
                self.names.setdefault(f"{table}{ALL_SUFFIX}".casefold(), table)
        self.visible = frozenset(self.names)


class BinderTables:
    """Finds or creates the tables that the names of a scope refer to."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database
        self._shared: list[Shelf] = []
        self._named: dict[str, Shelf] = {}
        self._search_path: tuple[str, ...] = ()

    def shelves(self, scope: Scope, words: set[str]) -> dict[str, Shelf]:
        """The shelves of the scope by namespace, in order. `words` are the words of the box, casefolded.

        A namespace that the box does not mention uses a shelf shared by all equal catalogues, or is skipped when its
        tables need a qualified name.
        """
        found = {}
        for name, tables in scope.namespaces:
            if name.casefold() in words:
                found[name] = self._named_shelf(name, tables)
            elif name not in QUALIFIED:
                found[name] = self._shared_shelf(tables)
        return found

    def make(self, shelf: Shelf, words: set[str]) -> Iterator[tuple[str, BoundTable]]:
        """Create the tables of the shelf that the words mention; yields each with its full name in the database."""
        for name in sorted(words & shelf.visible):
            table = shelf.names[name]
            if name not in shelf.made:
                relation = shelf.tables[table]
                whole = name != table.casefold()
                written = f"{table}{ALL_SUFFIX}" if whole else table
                columns = columns_sql(relation)
                self._database.execute(f"CREATE TABLE {quote_name(shelf.schema)}.{quote_name(written)} ({columns})")
                shelf.made[name] = BoundTable(shelf.schema, table, relation, limited=not whole)
            written = table if name == table.casefold() else f"{table}{ALL_SUFFIX}"
            yield f"memory.{shelf.schema}.{written}", shelf.made[name]

    def search(self, names: tuple[str, ...]) -> None:
        """Look bare names up in these schemas, in order."""
        if names != self._search_path:
            path = ",".join(quote_name(name) for name in names) or "main"
            self._database.execute(f"SET search_path = {quote_literal(path)}")
            self._search_path = names

    def _shared_shelf(self, tables: Mapping[str, Relation]) -> Shelf:
        for shelf in self._shared:
            if shelf.tables is tables or shelf.tables == tables:
                return shelf
        shelf = Shelf(f"weir_shelf_{len(self._shared)}", tables)
        self._database.execute(f"CREATE SCHEMA {quote_name(shelf.schema)}")
        self._shared.append(shelf)
        return shelf

    def _named_shelf(self, name: str, tables: Mapping[str, Relation]) -> Shelf:
        known = self._named.get(name)
        if known is not None and (known.tables is tables or known.tables == tables):
            return known
        self.search(())
        if known is not None:
            self._database.execute(f"DROP SCHEMA {quote_name(name)} CASCADE")
        self._database.execute(f"CREATE SCHEMA IF NOT EXISTS {quote_name(name)}")
        shelf = self._named[name] = Shelf(name, tables)
        return shelf


def tables_of_provider(mentioned: Mapping[str, BoundTable], shelves: Mapping[str, Shelf]) -> dict[str, BoundTable]:
    """The mentioned tables that belong to a connection or the Schema, by full name.

    Changed rows map to the connection's table without a limit, because they may be any of its rows. Tables that
    describe the mirror itself are excluded: no provider supplies them.
    """
    own = next((shelf for name, shelf in shelves.items() if name not in {*QUALIFIED, SCHEMA_NAMESPACE}), None)
    found = {}
    for full, table in mentioned.items():
        if table.namespace == CHANGED_NAMESPACE and own is not None:
            found[full] = replace(table, namespace=own.schema, limited=False)
        elif table.namespace != WEIR_NAMESPACE:
            found[full] = table
    return found


def columns_sql(relation: Relation) -> str:
    """The columns of a relation as CREATE TABLE takes them."""
    return ", ".join(f"{quote_name(column.name)} {sql_type(column.type)}" for column in relation)
