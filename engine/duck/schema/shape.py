"""The table of a Schema in its file: made from its relation, widened as the relation grows, never losing data.

A column that the relation no longer has stays in the file with its values, hidden from every reader (they select the
relation's columns): a column that comes back finds them again.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from engine.relation import Column, Fit, Relation, fit
from engine.run import StoreError

from ..casts import cast
from ..columns import catalogued_columns
from ..quoting import quote_name
from ..types import column_type, sql_type

STORE = "store"
"""The name under which the Schema's file is attached."""


def address(table: str) -> str:
    """A table of the Schema in SQL."""
    return f"{STORE}.main.{quote_name(table)}"


def ensure_table(connection: duckdb.DuckDBPyConnection, table: str, relation: Relation) -> dict[str, str]:
    """Make the table or widen it, inside the caller's transaction. Returns name and DuckDB type of each column."""
    if relation.find("rowid") is not None:
        raise StoreError("E605", f"`{table}` has a column `rowid`, a name that DuckDB needs", "rename the column")
    present = catalogued_columns(connection, STORE, table)
    if present and _differs(present, relation) and _is_empty(connection, table):
        connection.execute(f"DROP TABLE {address(table)}")
        present = {}
    if not present:
        columns = ", ".join(f"{quote_name(column.name)} {sql_type(column.type)}" for column in relation)
        connection.execute(f"CREATE TABLE {address(table)} ({columns})")
        return catalogued_columns(connection, STORE, table)
    types = {name.casefold(): kind for name, kind in present.items()}
    for column in relation:
        before = types.get(column.name.casefold())
        if before is None:
            connection.execute(
                f"ALTER TABLE {address(table)} ADD COLUMN {quote_name(column.name)} {sql_type(column.type)}"
            )
        elif before != sql_type(column.type):
            _widen(connection, table, column, before)
    return catalogued_columns(connection, STORE, table)


def _differs(present: Mapping[str, str], relation: Relation) -> bool:
    return tuple((name.casefold(), kind) for name, kind in present.items()) != tuple(
        (column.name.casefold(), sql_type(column.type)) for column in relation
    )


def _is_empty(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return not connection.execute(f"SELECT 1 FROM {address(table)} LIMIT 1").fetchall()


def _widen(connection: duckdb.DuckDBPyConnection, table: str, column: Column, before: str) -> None:
    if fit(column_type(before), column.type) is not Fit.SAFE:
        raise StoreError(
            "E603",
            f"column `{column.name}` of `{table}` is {column_type(before)} and cannot become {column.type}",
            "add a new column with the new type, or empty the table first",
        )
    made = cast(quote_name(column.name), before, column.type)
    connection.execute(
        f"ALTER TABLE {address(table)} ALTER COLUMN {quote_name(column.name)} TYPE {sql_type(column.type)} "
        f"USING {made.value}"
    )
