"""Reads the result of a box and exports it as CSV, JSON or Parquet."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import duckdb

from engine.relation import Column, ColumnType, Kind, Relation
from engine.run import BoxResult

from ..columns import describe
from ..files import attach
from ..instances import Terms, own_instance
from ..quoting import quote_literal, quote_name
from ..types import column_type

ResultFormat = Literal["csv", "json", "parquet"]
_OPTIONS: Final = {
    "csv": "(FORMAT csv, HEADER true)",
    "json": "(FORMAT json, ARRAY false)",
    "parquet": "(FORMAT parquet, COMPRESSION zstd)",
}
_DATABASE: Final = "found"
_TABLE: Final = f"{_DATABASE}.main.result"


def fetch_rows(result: BoxResult, limit: int) -> Sequence[tuple[object, ...]]:
    """The first `limit` rows of a result, in the box's order."""
    with _opened(result) as connection:
        rows: list[tuple[object, ...]] = connection.execute(f"SELECT * FROM {_TABLE} LIMIT ?", [limit]).fetchall()
        return rows


def result_rows(file: Path, limit: int) -> Sequence[Mapping[str, object]]:
    """The first `limit` rows of a stored result (table `result` of `file`) as JSON values: see `write_result`."""
    with _opened(BoxResult(file, Relation(()), 0)) as connection:
        columns = [Column(name, column_type(kind)) for name, kind in describe(connection, _TABLE).items()]
        pairs = ", ".join(
            f"{quote_literal(each.name)}, {_as_json(quote_name(each.name), each.type)}" for each in columns
        )
        rows = connection.execute(f"SELECT json_object({pairs}) FROM {_TABLE} LIMIT ?", [limit]).fetchall()
        return [json.loads(text) for (text,) in rows]


def write_result(result: BoxResult, target: Path, style: ResultFormat) -> None:
    """Write all rows to `target`, replacing it: CSV with a header, JSON with one object per line, or Parquet.

    In CSV, lists and maps are JSON; an empty string is quoted and NULL is an empty field. In JSON, decimals are
    strings, timestamps are ISO 8601, json columns are nested, and NaN and infinity are null.
    The file is replaced atomically. OSError when it cannot be written.
    """
    if not target.parent.is_dir():
        raise OSError(f"`{target}` cannot be written: there is no folder `{target.parent}`")
    unfinished = target.with_name(f".{target.name}.unfinished")
    columns = ", ".join(_written(column, style) for column in result.relation)
    rows = f"SELECT {columns or '*'} FROM {_TABLE}"
    try:
        with _opened(result) as connection:
            connection.execute(f"COPY ({rows}) TO {quote_literal(str(unfinished))} {_OPTIONS[style]}")
        unfinished.replace(target)
    except duckdb.IOException as error:
        raise OSError(f"`{target}` cannot be written: {error}") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _written(column: Column, style: ResultFormat) -> str:
    name = quote_name(column.name)
    if style == "csv" and column.type.kind in (Kind.LIST, Kind.MAP):
        return f"CAST(to_json({_as_json(name, column.type)}) AS VARCHAR) AS {name}"
    return f"{_as_json(name, column.type)} AS {name}" if style == "json" else name


def _as_json(value: str, kind: ColumnType) -> str:
    """SQL for a value whose JSON form is lossless and valid."""
    match kind.kind:
        case Kind.DECIMAL:
            return f"CAST({value} AS VARCHAR)"
        case Kind.TIMESTAMP:
            return f"replace(CAST({value} AS VARCHAR), ' ', 'T')"
        case Kind.FLOAT:
            return f"CASE WHEN isfinite({value}) THEN {value} END"
        case Kind.LIST if kind.item is not None:
            return f"list_transform({value}, lambda each: {_as_json('each', kind.item)})"
        case _:
            return value


@contextlib.contextmanager
def _opened(result: BoxResult) -> Iterator[duckdb.DuckDBPyConnection]:
    terms = Terms(result.path.with_name(f"{result.path.name}.tmp"), memory=None)
    with own_instance(terms, _DATABASE) as connection:
        attach(connection, result.path, _DATABASE, read_only=True)
        yield connection
