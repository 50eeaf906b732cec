"""The rows of a box's result, read back."""

from __future__ import annotations

from contextlib import closing

import duckdb

from engine.run import BoxResult

from .quoting import quote_literal


def fetch_rows(result: BoxResult, limit: int) -> list[tuple[object, ...]]:
    """The first `limit` rows as Python values, in the order in which the box yielded them."""
    with closing(duckdb.connect()) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH {quote_literal(str(result.path))} AS box (READ_ONLY)")
        return connection.execute("SELECT * FROM box.main.result ORDER BY rowid LIMIT ?", [limit]).fetchall()
