"""One account's part of a staging file, as a connector needs it."""

from __future__ import annotations

import duckdb

from engine.connector import Mirror, OpenRows, SourceCatalogue, SourceTable, VersionMove
from engine.relation import Column, Relation

from ..columns import describe
from ..quoting import quote_name
from ..types import column_type, sql_type
from .coverage import read_coverage
from .events import has_events, read_events
from .sweep import compile_where

_IDS = 100
_TABLES = """
SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'main'
"""


def read_mirror(connection: duckdb.DuckDBPyConnection, catalogue: SourceCatalogue, account: str) -> Mirror:
    """What the current database holds of the account."""
    if not has_events(connection):
        return Mirror(account)
    names = [name for (name,) in connection.execute(_TABLES).fetchall() if name in catalogue.tables]
    sizes = {name: _count(connection, name, account) for name in sorted(names)}
    interval, applied = read_events(connection, account)
    found = {
        name: rows for name in sizes if (rows := _open_rows(connection, catalogue.tables[name], account)) is not None
    }
    coverage = tuple(each for each in read_coverage(connection) if each.account == account)
    return Mirror(
        account=account,
        coverage=coverage,
        events=interval,
        applied=applied,
        rows=sizes,
        open_rows=found,
        moves={
            each.table: _move(connection, each.table, catalogue.tables.get(each.table), each.api_version)
            for each in coverage
            if each.api_version != catalogue.api_version
        },
    )


def _move(connection: duckdb.DuckDBPyConnection, name: str, table: SourceTable | None, before: str) -> VersionMove:
    """How the table's columns differ from those of its catalogue; None: that has the table no more."""
    staged = describe(connection, quote_name(name))
    wanted = {column.name: sql_type(column.type) for column in table.relation} if table is not None else {}
    return VersionMove(
        before,
        tuple(sorted(wanted.keys() - staged.keys())),
        tuple(sorted(staged.keys() - wanted.keys())),
        tuple((name, staged[name], kind) for name, kind in sorted(wanted.items()) if staged.get(name, kind) != kind),
        Relation(tuple(Column(name, column_type(kind)) for name, kind in {**wanted, **staged}.items())),
    )


def _count(connection: duckdb.DuckDBPyConnection, name: str, account: str) -> int:
    statement = f"SELECT count(*) FROM {quote_name(name)} WHERE _account = $account AND _deleted_at IS NULL"
    ((count,),) = connection.execute(statement, {"account": account}).fetchall()
    return int(count)


def _open_rows(connection: duckdb.DuckDBPyConnection, table: SourceTable, account: str) -> OpenRows | None:
    """The rows of the table that are not final, if it declares which ones are not."""
    if not table.open or table.created is None:
        return None
    parameters: dict[str, object] = {"account": account}
    condition = compile_where(table.open, table.relation, parameters)
    name, created = quote_name(table.name), quote_name(table.created)
    ((count, oldest, newest, ids),) = connection.execute(
        f"""
        SELECT
            count(*), epoch(min({created}))::BIGINT, epoch(max({created}))::BIGINT,
            list(id ORDER BY {created})[:{_IDS}]
        FROM {name} WHERE _account = $account AND _deleted_at IS NULL AND ({condition})
        """,
        parameters,
    ).fetchall()
    return OpenRows(count, oldest, newest, tuple(ids)) if count and oldest is not None else None
