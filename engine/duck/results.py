"""A box's result, read back or written in a form for others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import duckdb

from engine.run import BoxResult

from .files import attach
from .quoting import quote_literal

ResultFormat = Literal["csv", "json", "parquet"]
_OPTIONS: Final = {
    "csv": "(FORMAT csv, HEADER true)",
    "json": "(FORMAT json, ARRAY false)",
    "parquet": "(FORMAT parquet, COMPRESSION zstd)",
}
_TABLE: Final = "found.main.result"


def fetch_rows(result: BoxResult, limit: int) -> Sequence[tuple[object, ...]]:
    """The first `limit` rows of a result, in the box's order."""
    connection = _opened(result)
    try:
        rows: list[tuple[object, ...]] = connection.execute(f"SELECT * FROM {_TABLE} LIMIT ?", [limit]).fetchall()
        return rows
    finally:
        connection.close()


def write_result(result: BoxResult, target: Path, style: ResultFormat) -> None:
    """Write all rows to `target`, replacing it: csv with a header, json as one object a line, or Parquet.

    A reader never sees half a file. OSError when it cannot be written.
    """
    unfinished = target.with_name(f".{target.name}.unfinished")
    connection = _opened(result)
    try:
        connection.execute(f"COPY (SELECT * FROM {_TABLE}) TO {quote_literal(str(unfinished))} {_OPTIONS[style]}")
        unfinished.replace(target)
    except duckdb.IOException as error:
        raise OSError(f"`{target}` cannot be written: {error}") from None
    finally:
        connection.close()
        unfinished.unlink(missing_ok=True)


def _opened(result: BoxResult) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False})
    try:
        connection.execute("SET TimeZone = 'UTC'")
        attach(connection, result.path, "found", read_only=True)
    except BaseException:
        connection.close()
        raise
    return connection
