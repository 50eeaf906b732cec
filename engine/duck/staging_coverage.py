"""What a staging file says about itself: `weir.coverage` and `weir.drift`, written with the rows they speak of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from engine.connector import Coverage, Op, Predicate
from engine.run import Drift

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
    complete BOOLEAN NOT NULL,
    expanded VARCHAR[],
    read_at TIMESTAMP
);
ALTER TABLE weir.coverage ADD COLUMN IF NOT EXISTS expanded VARCHAR[];
ALTER TABLE weir.coverage ADD COLUMN IF NOT EXISTS read_at TIMESTAMP;
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
    AND list_has_all($expanded::VARCHAR[], coalesce(expanded, []))
    AND (
        (gte IS NOT DISTINCT FROM $gte AND lt IS NOT DISTINCT FROM $lt AND filter = $filter)
        OR (
            $complete AND (filter = $filter OR $filter = $everything)
            AND ($gte::BIGINT IS NULL OR gte >= $gte) AND ($lt::BIGINT IS NULL OR lt <= $lt)
        )
    )
"""

_TOUCHING = """
DELETE FROM weir.coverage
WHERE account = $account AND "table" = $table AND filter = $filter AND complete AND api_version = $api_version
    AND coalesce(expanded, []) = $expanded::VARCHAR[] AND as_of >= $bound
    AND (gte IS NULL OR $lt::BIGINT IS NULL OR gte <= $lt) AND (lt IS NULL OR $gte::BIGINT IS NULL OR lt >= $gte)
RETURNING gte, lt, as_of, read_at, pages, "rows"
"""

_READ = """
SELECT account, "table", gte, lt, filter, as_of, strategy, api_version, pages, "rows", complete, expanded, read_at
FROM weir.coverage ORDER BY "table", account, gte NULLS FIRST, lt NULLS LAST, filter
"""

EVERYTHING = ((),)


def make_coverage_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Have the two tables."""
    connection.execute(_TABLES)


def record_coverage(
    connection: duckdb.DuckDBPyConnection,
    coverage: Coverage,
    *,
    read_at: datetime,
    alone: bool,
) -> None:
    """Write `coverage` in place of what it repeats or contains, as one with the windows that it continues.

    The whole has the age of its oldest part. `alone`: rows were taken out that other coverages of the table may still
    claim, so those are forgotten. `read_at` is naive UTC.
    """
    values = {**_to_row(coverage), "read_at": read_at}
    if alone:
        connection.execute(
            'DELETE FROM weir.coverage WHERE account = $account AND "table" = $table',
            {"account": coverage.account, "table": coverage.table},
        )
    keys = ("account", "table", "gte", "lt", "filter", "complete", "expanded")
    connection.execute(_SAME_OR_WITHIN, {**{key: values[key] for key in keys}, "everything": _filter_text(EVERYTHING)})
    if coverage.complete:
        _unite(connection, values, coverage.continues or coverage.as_of)
    names = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(f"${name}" for name in values)
    connection.execute(f"INSERT INTO weir.coverage ({names}) VALUES ({places})", values)


def _unite(connection: duckdb.DuckDBPyConnection, values: dict[str, Any], oldest: datetime) -> None:
    """Take the windows that `values` continues, none of them older than `oldest`, out of the table and into it."""
    keys = ("account", "table", "gte", "lt", "filter", "api_version", "expanded")
    parameters = {**{key: values[key] for key in keys}, "bound": oldest.astimezone(UTC).replace(tzinfo=None)}
    parts = connection.execute(_TOUCHING, parameters).fetchall()
    for gte, lt, as_of, read_at, pages, rows in parts:
        values["gte"] = None if None in (gte, values["gte"]) else min(gte, values["gte"])
        values["lt"] = None if None in (lt, values["lt"]) else max(lt, values["lt"])
        values["as_of"] = min(as_of, values["as_of"])
        values["read_at"] = min(read_at, values["read_at"]) if read_at else values["read_at"]
        values["pages"] += pages
        values["rows"] += rows


def forget_coverage(connection: duckdb.DuckDBPyConnection, account: str, table: str) -> None:
    """Claim nothing of a table any more; which fields came expanded stays known, so that they are asked for again."""
    connection.execute(
        'UPDATE weir.coverage SET complete = FALSE WHERE account = $account AND "table" = $table',
        {"account": account, "table": table},
    )


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
            expanded=tuple(row[11] or ()),
            read_at=row[12].replace(tzinfo=UTC) if row[12] else None,
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


def _to_row(coverage: Coverage) -> dict[str, Any]:
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
        "expanded": list(coverage.expanded),
    }


def _filter_text(where: tuple[tuple[Predicate, ...], ...]) -> str:
    return json.dumps([[[each.column, each.op.value, list(each.values)] for each in case] for case in where])


def _parse_filter(text: str) -> tuple[tuple[Predicate, ...], ...]:
    return tuple(
        tuple(Predicate(column, Op(op), tuple(values)) for column, op, values in case) for case in json.loads(text)
    )
