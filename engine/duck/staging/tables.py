"""A staging table follows its catalogue: created when needed, widened by new columns, recreated for new types."""

from __future__ import annotations

from datetime import datetime

import duckdb

from engine.connector import SourceTable

from ..columns import describe
from ..quoting import quote_name
from ..system_columns import CHANGED_AT
from ..types import sql_type


def prepare_table(connection: duckdb.DuckDBPyConnection, table: SourceTable, changed_at: datetime) -> None:
    """Create the table, or add the columns of its relation that it lacks.

    Where a column's type has changed the table is emptied and its coverage forgotten: what it mirrors is read again.
    Rows with an unknown time of change have changed at `changed_at`.
    """
    wanted = {column.name: sql_type(column.type) for column in table.relation}
    columns = ", ".join(f"{quote_name(name)} {kind}" for name, kind in wanted.items())
    connection.execute(f"CREATE TABLE IF NOT EXISTS {quote_name(table.name)} ({columns})")
    known = describe(connection, quote_name(table.name))
    if any(known.get(name, kind) != kind for name, kind in wanted.items()):
        connection.execute(f"DROP TABLE {quote_name(table.name)}")
        connection.execute('DELETE FROM weir.coverage WHERE "table" = $table', {"table": table.name})
        connection.execute(f"CREATE TABLE {quote_name(table.name)} ({columns})")
        return
    for name, kind in wanted.items():
        if name not in known:
            connection.execute(f"ALTER TABLE {quote_name(table.name)} ADD COLUMN {quote_name(name)} {kind}")
            if name == CHANGED_AT:
                connection.execute(f"UPDATE {quote_name(table.name)} SET {CHANGED_AT} = $1", [changed_at])
