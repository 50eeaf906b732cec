"""The binder's empty tables: made when a box first mentions them, shared by connections with equal catalogues."""

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
"""`customers_all` shows the rows that the provider has deleted as well; `customers` does not."""

_DELETED_AT: Final = "_deleted_at"


@dataclass(frozen=True, slots=True)
class BoundTable:
    """A table of the binder's database and what it stands for. `limited`: whether a limit may be taken over."""

    namespace: str
    table: str
    relation: Relation
    limited: bool = True


@dataclass(slots=True)
class Shelf:
    """A schema of the binder's database that holds (as far as they were mentioned) these tables.

    `names` are the visible names, casefolded, with the table that each one shows.
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
    """Finds or makes what the names of a scope stand for."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database
        self._shared: list[Shelf] = []
        self._named: dict[str, Shelf] = {}
        self._search_path: tuple[str, ...] = ()

    def shelves(self, scope: Scope, words: set[str]) -> dict[str, Shelf]:
        """A shelf for each namespace of the scope, by its name and in order. `words` are the box's, casefolded.

        A box that does not mention a namespace by its name is bound in one that all equal catalogues share; those that
        are reached in no other way are then left out.
        """
        found = {}
        for name, tables in scope.namespaces:
            if name.casefold() in words:
                found[name] = self._named_shelf(name, tables)
            elif name not in QUALIFIED:
                found[name] = self._shared_shelf(tables)
        return found

    def make(self, shelf: Shelf, words: set[str]) -> Iterator[tuple[str, BoundTable]]:
        """The tables of the shelf that the words mention, by their full name in the database."""
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
    """Those tables that a connection or the Schema has, by their full names, for what they are to be read.

    Changed rows are rows of the connection's table, and may be any of them: no limit is taken over. What a mirror tells
    about itself is read by nobody.
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
