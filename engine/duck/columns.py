"""The columns of a table, as DuckDB has them."""

from __future__ import annotations

import duckdb


def describe(connection: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    """Name and type of each column of `source` (a table in SQL), in order; empty if there is no such table.

    A missing table aborts an open transaction: there, ask `catalogued_columns`.
    """
    try:
        found = connection.execute(f"DESCRIBE {source}").fetchall()
    except duckdb.CatalogException:
        return {}
    return {str(name): str(kind) for name, kind, *_ in found}


def catalogued_columns(
    connection: duckdb.DuckDBPyConnection, database: str, table: str, schema: str = "main"
) -> dict[str, str]:
    """As `describe`, safe in a transaction. It costs ten times as much: DuckDB lists the columns of all tables."""
    found = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY column_index",
        [database, schema, table],
    ).fetchall()
    return {str(name): str(kind) for name, kind in found}
