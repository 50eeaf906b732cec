"""The statements that a SQL box may contain, and the tables it names."""

from __future__ import annotations

import duckdb
import pytest

from engine.duck.boxes.check import TableName, check_box
from engine.run import BoxError

TABLES = {"stripe": frozenset({"charges", "customers"}), "schema": frozenset({"charges", "people"})}


def names(sql: str) -> set[tuple[str | None, str]]:
    with duckdb.connect() as connection:
        return {(each.namespace, each.table) for each in check_box(connection, sql, TABLES)}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", set()),
        ("FROM charges", {("stripe", "charges")}),
        ('SELECT * FROM "Schema"."CHARGES"', {("schema", "charges")}),
        (
            "WITH a AS (FROM people), b AS (FROM a) SELECT * FROM b, charges c",
            {("schema", "people"), ("stripe", "charges")},
        ),
        ("SELECT * FROM (PIVOT charges ON id IN ('x') USING sum(amount))", {("stripe", "charges")}),
        ("(FROM charges) UNION ALL (FROM customers)", {("stripe", "charges"), ("stripe", "customers")}),
        ("SELECT (SELECT max(id) FROM people) FROM range(3), unnest([1, 2])", {("schema", "people")}),
        ("WITH RECURSIVE r AS (SELECT 1 n UNION ALL SELECT n + 1 FROM r WHERE n < 5) FROM r", set()),
        ("SELECT x FROM (VALUES (1), (2)) t(x) -- end;", set()),
        ("SELECT 1;", set()),
        ("SELECT * FROM charges ANTI JOIN people USING (id)", {("stripe", "charges"), ("schema", "people")}),
    ],
)
def test_box_names_its_tables(sql: str, expected: set[tuple[str, str]]) -> None:
    assert names(sql) == expected


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("", "expected one statement"),
        ("-- nothing", "expected one statement"),
        ("SELECT 1; SELECT 2", "expected one statement"),
        ("SELEC 1", "syntax error"),
        ("DELETE FROM charges", "expected a SELECT"),
        ("WITH x AS (DELETE FROM charges RETURNING *) FROM x", "found DELETE|CTE needs a SELECT"),
        ("SELECT * FROM read_csv('x')", "`read_csv` is not available"),
        ("SELECT * FROM other.charges", "no table `other.charges`"),
        ("WITH duckdb_settings AS (SELECT 1) SELECT * FROM main.duckdb_settings", "no table"),
        ("SHOW TABLES", "expected a table"),
        ("SELECT 1\0", "NUL"),
    ],
)
def test_forbidden_statement_in_a_box_is_refused(sql: str, reason: str) -> None:
    with pytest.raises(BoxError, match=reason):
        names(sql)


def test_table_names_compare_by_namespace_and_table() -> None:
    assert TableName("stripe", "charges") == TableName("stripe", "charges")
