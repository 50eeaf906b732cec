"""What a staging file records about itself: `weir.coverage` and `weir.drift`, written with the rows they describe."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import duckdb

from engine.connector import Coverage, Op, Predicate, Window
from engine.run import Drift

from .coverage_rows import CoverageRow, CoverageRows

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
ALTER TABLE weir.coverage ADD COLUMN IF NOT EXISTS carried VARCHAR[];
CREATE TABLE IF NOT EXISTS weir.drift (
    "table" VARCHAR NOT NULL,
    field VARCHAR NOT NULL,
    problem VARCHAR NOT NULL,
    "rows" BIGINT NOT NULL,
    first_seen TIMESTAMP NOT NULL,
    last_seen TIMESTAMP NOT NULL
);
"""

_CLAIMED = """
SELECT gte, lt, filter, as_of, strategy, api_version, pages, "rows", complete, coalesce(expanded, []), read_at,
    coalesce(carried, []), rowid
FROM weir.coverage WHERE account = $account AND "table" = $table
"""

_COLUMNS = (
    'account, "table", gte, lt, filter, as_of, strategy, api_version, pages, "rows", complete, expanded, '
    "read_at, carried"
)

_READ = """
SELECT account, "table", gte, lt, filter, as_of, strategy, api_version, pages, "rows", complete, expanded, read_at,
    {carried}
FROM weir.coverage ORDER BY "table", account, gte NULLS FIRST, lt NULLS LAST, filter
"""

_WITHOUT_CARRIED = """
SELECT 1 WHERE NOT EXISTS (
    FROM duckdb_columns() WHERE database_name = current_database() AND schema_name = 'weir' AND table_name = 'coverage'
        AND column_name = 'carried'
)
"""
"""A file that was last written before windows recorded what they carry."""


def make_coverage_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the two tables, unless they exist."""
    connection.execute(_TABLES)


def record_coverage(
    connection: duckdb.DuckDBPyConnection, claims: Sequence[tuple[Coverage, bool]], *, read_at: datetime
) -> None:
    """Write coverages in order (see `CoverageRows.add`), each with whether it is the only claim left on its table.

    That is so where a read removed rows that other windows may still claim. `read_at` (naive UTC) is the default for
    coverages without one.
    """
    tables: dict[tuple[str, str], list[tuple[Coverage, bool]]] = defaultdict(list)
    for claim in claims:
        tables[claim[0].account, claim[0].table].append(claim)
    for (account, table), of_table in tables.items():
        known = {"account": account, "table": table}
        present = connection.execute(_CLAIMED, known).fetchall()
        rows = CoverageRows([CoverageRow(Window(gte, lt), *others) for gte, lt, *others in present])
        for coverage, alone in of_table:
            oldest = coverage.continues or coverage.as_of
            rows.add(_row_of(coverage, read_at), _naive(oldest), alone=alone)
        if rows.deleted:
            places = {"places": rows.deleted}
            connection.execute("DELETE FROM weir.coverage WHERE rowid IN (SELECT unnest($places::BIGINT[]))", places)
        _insert(connection, account, table, rows.new)


def _insert(connection: duckdb.DuckDBPyConnection, account: str, table: str, rows: Sequence[CoverageRow]) -> None:
    if not rows:
        return
    places, values = [], []
    for each in rows:
        row: list[object] = [account, table, each.window.gte, each.window.lt, each.filter, each.as_of, each.strategy]
        row += [each.api_version, each.pages, each.rows, each.complete, each.expanded, each.read_at, each.carried]
        places.append(f"({', '.join('?' * len(row))})")
        values += row
    connection.execute(f"INSERT INTO weir.coverage ({_COLUMNS}) VALUES {', '.join(places)}", values)


def forget_coverage(connection: duckdb.DuckDBPyConnection, account: str, table: str) -> None:
    """Claim nothing of a table. Which fields came expanded stays known, so that they are requested again."""
    names = {"account": account, "table": table}
    connection.execute('UPDATE weir.coverage SET complete = FALSE WHERE account = $account AND "table" = $table', names)
    connection.execute(
        """
        UPDATE weir.coverage SET carried = list_filter(carried, lambda name: name <> $table)
        WHERE account = $account AND list_contains(carried, $table)
        """,
        names,
    )


def read_coverage(connection: duckdb.DuckDBPyConnection) -> tuple[Coverage, ...]:
    """All coverages, by table and account. None in a file whose first load has failed."""
    present = "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'weir'"
    if not connection.execute(present).fetchall():
        return ()
    of_old = connection.execute(_WITHOUT_CARRIED).fetchall()
    rows = connection.execute(_READ.format(carried="NULL" if of_old else "carried")).fetchall()
    return tuple(
        Coverage(
            account=row[0],
            table=row[1],
            window=Window(row[2], row[3]),
            where=_parse_filter(row[4]),
            as_of=row[5].replace(tzinfo=UTC),
            strategy=row[6],
            api_version=row[7],
            pages=row[8],
            rows=row[9],
            complete=row[10],
            expanded=tuple(row[11] or ()),
            read_at=row[12].replace(tzinfo=UTC) if row[12] else None,
            carried=tuple(row[13] or ()),
        )
        for row in rows
    )


def record_drift(connection: duckdb.DuckDBPyConnection, drift: Sequence[Drift], seen: datetime) -> None:
    """Keep one row for each table, field and problem, with the row count of the latest load that had it."""
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


def _row_of(coverage: Coverage, read_at: datetime) -> CoverageRow:
    return CoverageRow(
        window=coverage.window,
        filter=_filter_text(coverage.where),
        as_of=_naive(coverage.as_of),
        strategy=coverage.strategy,
        api_version=coverage.api_version,
        pages=coverage.pages,
        rows=coverage.rows,
        complete=coverage.complete,
        expanded=list(coverage.expanded),
        read_at=_naive(coverage.read_at) if coverage.read_at is not None else read_at,
        carried=list(coverage.carried),
    )


def _naive(timestamp: datetime) -> datetime:
    return timestamp.astimezone(UTC).replace(tzinfo=None)


def _filter_text(where: tuple[tuple[Predicate, ...], ...]) -> str:
    return json.dumps([[[each.column, each.op.value, list(each.values)] for each in case] for case in where])


def _parse_filter(text: str) -> tuple[tuple[Predicate, ...], ...]:
    return tuple(
        tuple(Predicate(column, Op(op), tuple(values)) for column, op, values in case) for case in json.loads(text)
    )
