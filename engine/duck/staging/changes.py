"""Rows that are known to be gone: by their id, or because a parent that was read again no longer has them."""

from __future__ import annotations

from datetime import datetime

import duckdb

from engine.connector import Gone, Renewed, SourceTable

from ..quoting import quote_name
from .sweep import OUT_OF_SIGHT

_PRESENT = f"(_deleted_at IS NULL OR _deleted_at = {OUT_OF_SIGHT})"


def bury(
    connection: duckdb.DuckDBPyConnection, table: SourceTable, gone: Gone, read_at: datetime, changed_at: datetime
) -> int:
    """Tombstone the objects with these ids; the number of rows. Both timestamps are naive UTC (see `begin_change`)."""
    if table.key != ("id",):
        return 0
    statement = f"""
        UPDATE {quote_name(table.name)} SET _deleted_at = $read_at::TIMESTAMP, _changed_at = $changed_at::TIMESTAMP
        WHERE _account = $account AND id IN (SELECT unnest($ids::VARCHAR[])) AND {_PRESENT}
    """
    timestamps = {"read_at": read_at, "changed_at": changed_at}
    return _count(connection, statement, {"account": gone.account, "ids": list(gone.ids), **timestamps})


def bury_left_behind(
    connection: duckdb.DuckDBPyConnection, renewed: Renewed, read_at: datetime, changed_at: datetime
) -> int:
    """Tombstone the rows that parents read at `read_at` (naive UTC), or found gone then, no longer have."""
    statement = f"""
        UPDATE {quote_name(renewed.table)}
        SET _deleted_at = $read_at::TIMESTAMP, _changed_at = $changed_at::TIMESTAMP
        WHERE _account = $account AND _read_at < $read_at AND {_PRESENT}
            AND {quote_name(renewed.field)} IN (
                SELECT {quote_name(renewed.column)} FROM {quote_name(renewed.parent)}
                WHERE _account = $account AND (_read_at = $read_at OR _deleted_at = $read_at)
            )
    """
    timestamps = {"read_at": read_at, "changed_at": changed_at}
    return _count(connection, statement, {"account": renewed.account, **timestamps})


def _count(connection: duckdb.DuckDBPyConnection, statement: str, parameters: dict[str, object]) -> int:
    ((count,),) = connection.execute(statement, parameters).fetchall()
    return int(count)
