"""Rows that a caller gives, as the result of a box: typed by the table that they are for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from engine.relation import Column, Kind, Relation
from engine.run import BoxResult, StoreError

from ..files import attach
from ..instances import Terms, own_instance
from ..quoting import quote_literal, quote_name
from ..types import sql_type
from .expressions import first_line

_DATABASE = "given"


def write_rows(target: Path, relation: Relation, rows: Sequence[Mapping[str, str | None]]) -> BoxResult:
    """A new file at `target` with the table `result`. Values are text that DuckDB casts; a missing one is NULL.

    `StoreError` E603 when one does not fit its column; then there is no file.
    """
    statement, text = typed_select(relation, rows)
    spill = target.with_name(f"{target.name}.spill")
    try:
        with own_instance(Terms(spill), _DATABASE) as connection:
            attach(connection, target, _DATABASE, read_only=False)
            connection.execute(f"CREATE TABLE {_DATABASE}.main.result AS {statement}", {"rows": text})
    except duckdb.Error as error:
        target.unlink(missing_ok=True)
        raise StoreError("E603", f"a given row does not fit its table: {first_line(error)}") from None
    finally:
        shutil.rmtree(spill, ignore_errors=True)
    return BoxResult(target, relation, len(rows))


def typed_select(relation: Relation, rows: Sequence[Mapping[str, str | None]]) -> tuple[str, str]:
    """A SELECT of these rows as the relation types them, and its parameter `rows`."""
    names = relation.names
    shape = json.dumps([{f"c{number}": "VARCHAR" for number in range(len(names))}])
    text = json.dumps([{f"c{number}": row.get(name) for number, name in enumerate(names)} for row in rows])
    columns = ", ".join(_typed(column, f"c{number}") for number, column in enumerate(relation))
    source = f"unnest(from_json(CAST($rows AS JSON), {quote_literal(shape)}), max_depth := 2)"
    return f"SELECT {columns} FROM (SELECT {source})", text


def _typed(column: Column, value: str) -> str:
    name = quote_name(column.name)
    if column.type.kind in (Kind.LIST, Kind.MAP):
        return f"CAST(CAST({value} AS JSON) AS {sql_type(column.type)}) AS {name}"
    return f"CAST({value} AS {sql_type(column.type)}) AS {name}"
