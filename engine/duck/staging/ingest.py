"""Pages of a source table → rows of its staging table: one streaming statement, then duplicates are removed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, assert_never

import duckdb

from engine.connector import SourceTable, TimestampFormat
from engine.connector.spool import read_pages
from engine.relation import Column, Kind
from engine.run import OutputFile

from ..quoting import quote_literal, quote_name
from ..system_columns import ACCOUNT, CHANGED_AT, DELETED_AT, EXTRA, READ_AT, SYSTEM_COLUMNS
from ..types import sql_type
from .page_stream import Page, PageStream
from .replaced import replace_older

_STREAM = "weir_pages"


def ingest(
    connection: duckdb.DuckDBPyConnection,
    table: SourceTable,
    files: Sequence[OutputFile],
    read_at: datetime,
    changed_at: datetime,
) -> int:
    """Upsert the rows of the files by (account, key) within the open transaction; the number of rows in the pages.

    The table exists and has all columns. Both timestamps are naive UTC; `changed_at` is that of rows with new content
    (see `begin_change`). Of rows with one key, the one that comes last stays.
    """
    name = quote_name(table.name)
    (before,) = _one(connection, f"SELECT max(rowid) FROM {name}")
    stream = PageStream(lambda: _pages(files))
    connection.register(_STREAM, stream)
    try:
        (rows,) = _one(connection, _insert_statement(table), _parameters(files, read_at, changed_at))
    except duckdb.Error:
        if stream.failure is not None:
            raise stream.failure from None
        raise
    finally:
        with contextlib.suppress(duckdb.Error):  # in a transaction that failed, nothing can be unregistered
            connection.unregister(_STREAM)
        stream.close()
    _drop_duplicates(connection, table, -1 if before is None else before)
    if before is not None:
        replace_older(connection, table, before)
    return int(rows)


def _pages(files: Sequence[OutputFile]) -> Iterator[Page]:
    for part, file in enumerate(files, start=1):
        for page in read_pages(Path(file.path)):
            yield part, page


def _parameters(files: Sequence[OutputFile], read_at: datetime, changed_at: datetime) -> dict[str, object]:
    return {
        "accounts": [str(file.meta.get("account") or "") for file in files],
        "livemodes": [bool(file.meta.get("livemode")) for file in files],
        "versions": [str(file.meta.get("api_version") or "") for file in files],
        "sources": [str(file.meta.get("source") or "") for file in files],
        "read_at": read_at,
        "changed_at": changed_at,
    }


def _insert_statement(table: SourceTable) -> str:
    own = [column for column in table.relation if column.name not in SYSTEM_COLUMNS]
    shape = ",".join(f"{_json_text(column.name)}:{_json_text(_json_type(column))}" for column in own)
    structure = f'{{"data":[{{{shape},"_extra":"JSON"}}]}}'
    shared = (EXTRA, ACCOUNT, "_livemode", "_api_version", "_source")
    columns = [*(quote_name(column.name) for column in own), *shared]
    values = [
        *(_value(column, table.timestamps) for column in own),
        EXTRA,
        ACCOUNT,
        "_livemode",
        "_api_version",
        "_source",
    ]
    return f"""
        INSERT INTO {quote_name(table.name)} ({", ".join(columns)}, {READ_AT}, {CHANGED_AT}, {DELETED_AT})
        SELECT {", ".join(values)}, $read_at::TIMESTAMP, $changed_at::TIMESTAMP, NULL
        FROM (
            SELECT
                unnest(json_transform(decode(body), {quote_literal(structure)}).data, max_depth := 2),
                list_extract($accounts::VARCHAR[], part) AS {ACCOUNT},
                list_extract($livemodes::BOOLEAN[], part) AS _livemode,
                list_extract($versions::VARCHAR[], part) AS _api_version,
                list_extract($sources::VARCHAR[], part) AS _source
            FROM {_STREAM}
        )
    """


def _json_text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json_type(column: Column) -> str:
    """The type that a value of the column is taken out of its page as."""
    return "VARCHAR" if column.type.kind is Kind.TIMESTAMP else sql_type(column.type)


def _value(column: Column, timestamps: TimestampFormat) -> str:
    name = quote_name(column.name)
    return _timestamp(name, timestamps) if column.type.kind is Kind.TIMESTAMP else name


def _timestamp(name: str, written: TimestampFormat) -> str:
    """A text of the page as a timestamp, in UTC; NULL for one of another form."""
    match written:
        case TimestampFormat.UNIX_SECONDS:
            return f"make_timestamp(TRY_CAST({name} AS BIGINT) * 1000000)"
        case TimestampFormat.UNIX_MILLISECONDS:
            return f"make_timestamp(TRY_CAST({name} AS BIGINT) * 1000)"
        case TimestampFormat.RFC_3339:
            return f"TRY_CAST({name} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
        case TimestampFormat.UNIX_SECONDS_OR_RFC_3339:
            return f"coalesce(make_timestamp(TRY_CAST({name} AS BIGINT) * 1000000), TRY_CAST({name} AS TIMESTAMP))"
        case _:
            assert_never(written)


def _drop_duplicates(connection: duckdb.DuckDBPyConnection, table: SourceTable, before: int) -> None:
    """Keep the last of the rows after row id `before` that share a key. Looks for duplicates by hashes first."""
    name, key = quote_name(table.name), _key(table)
    counts = f"SELECT count(*), count(DISTINCT hash({key})) FROM {name} WHERE rowid > $before"
    rows, distinct = _one(connection, counts, {"before": before})
    if rows == distinct:
        return
    connection.execute(
        f"""
        DELETE FROM {name} WHERE rowid IN (
            SELECT rowid FROM {name} WHERE rowid > $before
            QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY rowid DESC) > 1
        )
        """,
        {"before": before},
    )


def _key(table: SourceTable) -> str:
    return ", ".join(quote_name(column) for column in (ACCOUNT, *table.key))


def _one(
    connection: duckdb.DuckDBPyConnection, statement: str, parameters: dict[str, object] | None = None
) -> tuple[Any, ...]:
    # A result that is not fetched to its end keeps the connection from other work.
    (row,) = connection.execute(statement, parameters or {}).fetchall()
    return tuple(row)
