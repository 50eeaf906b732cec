"""Two staging files of one provider, compared: what a mirror holds, and what was read to check it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb

from engine.connector import Predicate, SourceTable

from ..files import attach, reading
from ..quoting import quote_name
from .content import content_hash
from .sweep import compile_where

_SAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class WindowDifference:
    """The rows of one month (None: without a time of creation, or of a table that has none): how many each side has,
    and the hashes of their ids and of all they hold (order does not matter)."""

    month: datetime | None
    mirror_rows: int
    provider_rows: int
    same_ids: bool
    same_content: bool


@dataclass(frozen=True, slots=True)
class TableDifference:
    """How the mirror's part of a table differs from what the provider has.

    `missing` are at the provider only, `surplus` in the mirror only, `differing` hold something else; each with a few
    ids. `changed` are not like what was read, and the mirror has heard of them since: they count nowhere else.
    `windows` are all months.
    """

    table: str
    account: str
    rows: int
    missing: int
    surplus: int
    differing: int
    changed: int
    samples: tuple[str, ...]
    windows: tuple[WindowDifference, ...]

    @property
    def same(self) -> bool:
        """Whether there is no difference."""
        return not (self.missing or self.surplus or self.differing)


def compare_tables(
    mirror: Path,
    read: Path,
    account: str,
    parts: Sequence[tuple[SourceTable, tuple[tuple[Predicate, ...], ...]]],
    changed_since: datetime,
) -> tuple[TableDifference, ...]:
    """Compare these parts of tables (where any of the conjunctions holds), in both files, for one account.

    Rows that are not alike, and of which the mirror learned at or after `changed_since` (this machine's time), are left
    out on both sides.
    """
    with reading([mirror, read]), contextlib.closing(duckdb.connect(config={"threads": 1})) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        attach(connection, mirror, "mirror", read_only=True)
        attach(connection, read, "provider", read_only=True)
        return tuple(_compare(connection, table, where, account, changed_since) for table, where in parts)


def _compare(
    connection: duckdb.DuckDBPyConnection,
    table: SourceTable,
    where: tuple[tuple[Predicate, ...], ...],
    account: str,
    changed_since: datetime,
) -> TableDifference:
    _make_sides(connection, table, where, account, changed_since)
    ((changed,),) = connection.execute(f"DELETE FROM sides WHERE moved AND {_ANY}").fetchall()
    ((rows, missing, surplus, differing),) = connection.execute(_TOTALS).fetchall()
    samples = connection.execute(f"SELECT key FROM sides WHERE {_ANY} ORDER BY key LIMIT {_SAMPLES}").fetchall()
    windows = connection.execute(_WINDOWS).fetchall()
    connection.execute("DROP TABLE sides")
    return TableDifference(
        table.name,
        account,
        rows,
        missing,
        surplus,
        differing,
        changed,
        tuple(key for (key,) in samples),
        tuple(WindowDifference(*window) for window in windows),
    )


_ANY: Final = "mirror_hash IS DISTINCT FROM provider_hash"
_TOTALS: Final = """
SELECT
    count(mirror_hash),
    count(*) FILTER (mirror_hash IS NULL),
    count(*) FILTER (provider_hash IS NULL),
    count(*) FILTER (mirror_hash != provider_hash)
FROM sides
"""
_WINDOWS: Final = """
SELECT
    date_trunc('month', created),
    count(mirror_hash),
    count(provider_hash),
    count(*) FILTER ((mirror_hash IS NULL) != (provider_hash IS NULL)) = 0,
    count(*) FILTER (mirror_hash IS DISTINCT FROM provider_hash) = 0
FROM sides GROUP BY ALL ORDER BY 1 NULLS FIRST
"""


def _make_sides(
    connection: duckdb.DuckDBPyConnection,
    table: SourceTable,
    where: tuple[tuple[Predicate, ...], ...],
    account: str,
    changed_since: datetime,
) -> None:
    """A temporary table with a row for each key that either side has."""
    name = quote_name(table.name)
    parameters: dict[str, object] = {"account": account, "changed_since": changed_since}
    condition = compile_where(where, table.relation, parameters) or "FALSE"
    content = content_hash(table.relation)
    key = " || ' ' || ".join(f"{quote_name(column)}::VARCHAR" for column in table.key)
    created = f"{quote_name(table.created)}::TIMESTAMP" if table.created is not None else "NULL::TIMESTAMP"
    there = {each for (each,) in connection.execute(_TABLES, {"table": table.name}).fetchall()}

    def side(database: str) -> str:
        live = f"_account = $account AND _deleted_at IS NULL AND ({condition})" if database in there else "FALSE"
        source = f"{database}.main.{name}" if database in there else f"(SELECT * FROM mirror.main.{name} WHERE FALSE)"
        return f"SELECT {key} AS key, {created} AS created, {content} AS content FROM {source} WHERE {live}"

    moved = f"SELECT {key} FROM mirror.main.{name} WHERE _read_at >= $changed_since OR _deleted_at >= $changed_since"
    connection.execute(
        f"""
        CREATE TEMPORARY TABLE sides AS
        SELECT
            coalesce(own.key, theirs.key) AS key,
            coalesce(theirs.created, own.created) AS created,
            own.content AS mirror_hash,
            theirs.content AS provider_hash,
            coalesce(own.key, theirs.key) IN ({moved}) AS moved
        FROM ({side("mirror")}) AS own FULL JOIN ({side("provider")}) AS theirs USING (key)
        """,
        parameters,
    )


_TABLES: Final = "SELECT database_name FROM duckdb_tables() WHERE schema_name = 'main' AND table_name = $table"
