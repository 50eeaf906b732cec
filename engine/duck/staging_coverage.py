"""What a staging file says about itself: `weir.coverage` and `weir.drift`, written with the rows they speak of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import duckdb

from engine.connector import Op, Predicate
from engine.run import Coverage, Drift

_TABLES = """
CREATE SCHEMA IF NOT EXISTS weir;
CREATE TABLE IF NOT EXISTS weir.coverage (
    account VARCHAR NOT NULL,
    "table" VARCHAR NOT NULL,
    gte BIGINT,
    lt BIGINT,
    filter VARCHAR NOT NULL,
    as_of TIMESTAMP NOT NULL,
    strategy VARCHAR NOT NULL,
    api_version VARCHAR NOT NULL,
    pages BIGINT NOT NULL,
    "rows" BIGINT NOT NULL,
    complete BOOLEAN NOT NULL
);
CREATE TABLE IF NOT EXISTS weir.drift (
    "table" VARCHAR NOT NULL,
    field VARCHAR NOT NULL,
    problem VARCHAR NOT NULL,
    "rows" BIGINT NOT NULL,
    first_seen TIMESTAMP NOT NULL,
    last_seen TIMESTAMP NOT NULL
);
"""

_SAME_OR_WITHIN = """
DELETE FROM weir.coverage
WHERE account = $account AND "table" = $table
    AND (
        (gte IS NOT DISTINCT FROM $gte AND lt IS NOT DISTINCT FROM $lt AND filter = $filter)
        OR (
            $complete AND (filter = $filter OR $filter = $everything)
            AND ($gte::BIGINT IS NULL OR gte >= $gte) AND ($lt::BIGINT IS NULL OR lt <= $lt)
        )
    )
"""

_READ = """
SELECT account, "table", gte, lt, filter, as_of, strategy, api_version, pages, "rows", complete
FROM weir.coverage ORDER BY "table", account, gte NULLS FIRST, lt NULLS LAST, filter
"""

EVERYTHING = ((),)


def make_coverage_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Have the two tables."""
    connection.execute(_TABLES)


def record_coverage(connection: duckdb.DuckDBPyConnection, coverage: Coverage, *, alone: bool) -> None:
    """Write `coverage` in place of what it repeats or contains.

    `alone`: rows were taken out that other coverages of the table may still claim, so those are forgotten.
    """
    values = _to_row(coverage)
    if alone:
        connection.execute(
            'DELETE FROM weir.coverage WHERE account = $account AND "table" = $table',
            {"account": coverage.account, "table": coverage.table},
        )
    keys = ("account", "table", "gte", "lt", "filter", "complete")
    connection.execute(_SAME_OR_WITHIN, {**{key: values[key] for key in keys}, "everything": _filter_text(EVERYTHING)})
    names = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(f"${name}" for name in values)
    connection.execute(f"INSERT INTO weir.coverage ({names}) VALUES ({places})", values)


def read_coverage(connection: duckdb.DuckDBPyConnection) -> tuple[Coverage, ...]:
    """All coverages, by table and account. None in a file whose first load has failed."""
    present = "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'weir'"
    if not connection.execute(present).fetchall():
        return ()
    rows = connection.execute(_READ).fetchall()
    return tuple(
        Coverage(
            account=row[0],
            table=row[1],
            gte=row[2],
            lt=row[3],
            where=_parse_filter(row[4]),
            as_of=row[5].replace(tzinfo=UTC),
            strategy=row[6],
            api_version=row[7],
            pages=row[8],
            rows=row[9],
            complete=row[10],
        )
        for row in rows
    )


def record_drift(connection: duckdb.DuckDBPyConnection, drift: Sequence[Drift], seen: datetime) -> None:
    """Keep one row for each table, field and problem, with the rows of the newest load that had it."""
    for each in drift:
        values = {"table": each.table, "field": each.field, "problem": each.problem, "rows": each.rows, "seen": seen}
        known = connection.execute(
            """
            UPDATE weir.drift SET "rows" = $rows, last_seen = $seen
            WHERE "table" = $table AND field = $field AND problem = $problem
            """,
            values,
        ).fetchall()
        if known == [(0,)]:
            connection.execute("INSERT INTO weir.drift VALUES ($table, $field, $problem, $rows, $seen, $seen)", values)


def _to_row(coverage: Coverage) -> dict[str, object]:
    return {
        "account": coverage.account,
        "table": coverage.table,
        "gte": coverage.gte,
        "lt": coverage.lt,
        "filter": _filter_text(coverage.where),
        "as_of": coverage.as_of.astimezone(UTC).replace(tzinfo=None),
        "strategy": coverage.strategy,
        "api_version": coverage.api_version,
        "pages": coverage.pages,
        "rows": coverage.rows,
        "complete": coverage.complete,
    }


def _filter_text(where: tuple[tuple[Predicate, ...], ...]) -> str:
    return json.dumps([[[each.column, each.op.value, list(each.values)] for each in case] for case in where])


def _parse_filter(text: str) -> tuple[tuple[Predicate, ...], ...]:
    return tuple(
        tuple(Predicate(column, Op(op), tuple(values)) for column, op, values in case) for case in json.loads(text)
    )
