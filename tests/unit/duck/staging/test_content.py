"""Different rows have different hashes, even for values that DuckDB's own hash does not distinguish."""

from __future__ import annotations

import duckdb
import pytest

from engine.duck.staging.content import content_hash
from engine.relation import INTEGER, JSON, MAP, TEXT, TIMESTAMP, Column, ColumnType, Kind, Relation

ROWS = {
    INTEGER: ["NULL", "0", "1", "-1"],
    TEXT: ["NULL", "''", "' '", "chr(0)", "'NULL'"],
    MAP: ["NULL", "MAP {}", "MAP {'a': NULL}", "MAP {'a': ''}", "MAP {'a': 'b'}", "MAP {'b': 'a'}"],
    ColumnType(Kind.LIST, item=INTEGER): ["NULL", "[]", "[NULL]", "[0]", "[0, 0]", "[NULL, 0]"],
    JSON: ["NULL", "'null'", "'{}'", "'[]'"],
}


@pytest.mark.parametrize("kind", ROWS, ids=str)
def test_content_hash_differs_for_every_value(kind: ColumnType) -> None:
    types = {MAP: "MAP(VARCHAR, VARCHAR)", INTEGER: "BIGINT", TEXT: "VARCHAR", JSON: "JSON"}
    sql_type = types.get(kind, "BIGINT[]")
    relation = Relation((Column("value", kind), Column("_read_at", TIMESTAMP), Column("_extra", JSON)))
    values = ", ".join(f"({value}::{sql_type}, now())" for value in ROWS[kind])
    extras = "(VALUES (NULL::JSON), ('{}'::JSON)) AS e(_extra)"
    statement = f"SELECT {content_hash(relation)} FROM (VALUES {values}) AS v(value, _read_at), {extras}"
    found = duckdb.connect().execute(statement).fetchall()
    assert len(found) == len(set(found)) == 2 * len(ROWS[kind])


def test_content_hash_ignores_the_time_of_the_read() -> None:
    relation = Relation((Column("value", INTEGER), Column("_read_at", TIMESTAMP), Column("_extra", JSON)))
    timestamps = ", ".join(f"(1, TIMESTAMP '2026-01-0{day}', NULL::JSON)" for day in (1, 2))
    rows = f"(VALUES {timestamps}) AS v(value, _read_at, _extra)"
    found = duckdb.connect().execute(f"SELECT DISTINCT {content_hash(relation)} FROM {rows}").fetchall()
    assert len(found) == 1
