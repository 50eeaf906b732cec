"""What `weir query` shows: the rows of a box's result, in batches, or as a file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import duckdb

from engine.relation import Kind, Relation
from engine.run import BoxResult

from .box import RESULT_TABLE
from .quoting import quote_literal, quote_name

ExportFormat = Literal["csv", "json", "parquet"]

_BATCH_ROWS = 1000
_OPTIONS = {"csv": "FORMAT csv, HEADER", "json": "FORMAT json", "parquet": "FORMAT parquet, COMPRESSION zstd"}


def iterate_rows(result: BoxResult, batch_rows: int = _BATCH_ROWS) -> Iterator[Sequence[tuple[object, ...]]]:
    """The rows in the box's order, in batches; columns as `result.relation` says.

    Text is str, integers int, decimals Decimal, timestamps naive datetime in UTC, json its text, maps dict.
    """
    with _open(result) as connection:
        cursor = connection.execute(f"SELECT {_columns(result.relation)} FROM {RESULT_TABLE}")
        while rows := cursor.fetchmany(batch_rows):
            yield rows


def export_result(result: BoxResult, target: Path, kind: ExportFormat) -> None:
    """Write the rows to `target` (which may be `/dev/stdout`, except for parquet): csv with a header, one JSON object
    a line, or parquet. Timestamps end in Z in text formats."""
    with _open(result) as connection:
        instants = kind != "parquet"
        columns = _columns(result.relation, instants_as_text=instants)
        connection.execute(
            f"COPY (SELECT {columns} FROM {RESULT_TABLE}) TO {quote_literal(str(target))} ({_OPTIONS[kind]})"
        )


def _columns(relation: Relation, *, instants_as_text: bool = False) -> str:
    columns: list[str] = []
    for column in relation:
        name = quote_name(column.name)
        if instants_as_text and column.type.kind is Kind.TIMESTAMP:
            columns.append(f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%fZ') AS {name}")
        else:
            columns.append(name)
    return ", ".join(columns)


@contextlib.contextmanager
def _open(result: BoxResult) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(config={"threads": 1, "memory_limit": "256MB", "python_enable_replacements": False})
    try:
        connection.execute(f"ATTACH {quote_literal(str(result.path))} AS output (READ_ONLY)")
        connection.execute("USE output")
        yield connection
    finally:
        connection.close()
