"""Rows as Python values: those that somebody expects, and those that a table or a result has, alike."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from engine.relation import ColumnType, Kind, Relation

from ..columns import describe
from ..files import attach
from ..instances import Terms, own_instance
from ..quoting import quote_name
from .given_rows import typed_select

_DATABASE: Final = "stored"

ValueRow = Mapping[str, object]
"""A row by column. What is json is nested, as it is for everything else that reads JSON."""


def typed_values(relation: Relation, rows: Sequence[Mapping[str, str | None]], spill: Path) -> list[ValueRow]:
    """Rows of texts as the relation types them; of each only the columns that it names. duckdb.Error: one does not
    fit."""
    if not rows:
        return []
    statement, text = typed_select(relation, rows)
    with own_instance(Terms(spill)) as connection:
        found = connection.execute(statement, {"rows": text}).fetchall()
    whole = [_values(relation, row) for row in found]
    return [{name: row[name] for name in named} for named, row in zip(rows, whole, strict=True)]


def stored_values(file: Path, table: str, relation: Relation, spill: Path) -> list[ValueRow]:
    """All rows of a table in a DuckDB file; none where either is not there. Columns that it lacks are NULL."""
    if not file.exists():
        return []
    with own_instance(Terms(spill), _DATABASE) as connection:
        attach(connection, file, _DATABASE, read_only=True)
        source = f"{_DATABASE}.main.{quote_name(table)}"
        present = describe(connection, source)
        if not present:
            return []
        columns = ", ".join(quote_name(each) if each in present else "NULL" for each in relation.names)
        found = connection.execute(f"SELECT {columns} FROM {source}").fetchall()
    return [_values(relation, row) for row in found]


def _values(relation: Relation, row: Sequence[object]) -> ValueRow:
    return {column.name: _plain(value, column.type) for column, value in zip(relation, row, strict=True)}


def _plain(value: Any, kind: ColumnType) -> object:
    if value is None:
        return None
    if kind.kind is Kind.JSON:
        return json.loads(value)
    if kind.kind is Kind.LIST and kind.item is not None:
        return [_plain(each, kind.item) for each in value]
    return value
