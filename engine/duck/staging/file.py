"""What a staging file is: its identity, and the timestamp of its latest change (`weir.file`, one row)."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb

from engine.connector import MirrorInstant

from ..quoting import quote_name

_TABLE = """
CREATE TABLE IF NOT EXISTS weir.file (
    id VARCHAR NOT NULL,
    made_at TIMESTAMP NOT NULL,
    changed_at TIMESTAMP NOT NULL
)
"""


def begin_change(connection: duckdb.DuckDBPyConnection, read_at: datetime) -> datetime:
    """The `_changed_at` of everything that the open transaction changes, later than any that the file has.

    It is `read_at` (naive UTC) unless the clock was set back or two commits have one timestamp: a reader that has seen
    everything up to a timestamp finds later changes after it.
    """
    connection.execute(_TABLE)
    found = connection.execute(
        """
        UPDATE weir.file SET changed_at = greatest($read_at::TIMESTAMP, changed_at + INTERVAL 1 MICROSECOND)
        RETURNING changed_at
        """,
        {"read_at": read_at},
    ).fetchall()
    if not found:
        made = "INSERT INTO weir.file VALUES (uuid()::VARCHAR, $read_at, $read_at) RETURNING changed_at"
        found = connection.execute(made, {"read_at": read_at}).fetchall()
    ((changed_at,),) = found
    if not isinstance(changed_at, datetime):
        raise AssertionError("a timestamp of DuckDB is a datetime")
    return changed_at


def read_file(connection: duckdb.DuckDBPyConnection, database: str | None = None) -> MirrorInstant | None:
    """What the database (the current one without a name) is now; None for a file that no version of Weir which keeps
    this has loaded anything into."""
    place = f"{quote_name(database)}." if database is not None else ""
    try:
        ((name, changed_at),) = connection.execute(f"SELECT id, changed_at FROM {place}weir.file").fetchall()
    except duckdb.CatalogException:
        return None
    return MirrorInstant(str(name), changed_at.replace(tzinfo=UTC))
