"""Rows that a complete read proves gone: it would have returned them, and did not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import duckdb

from engine.connector import EVERYTHING, Coverage, Op, Predicate, SourceTable, Value
from engine.relation import Kind, Relation
from engine.run import StoreError

from ..quoting import quote_name
from ..types import sql_type

Parameters = dict[str, object]
_FEW: Final = 100
_SMALL_PART: Final = 0.2
"""This many rows, and this part of a table, may be gone before a run must accept it."""

OUT_OF_SIGHT: Final = "TIMESTAMP 'infinity'"
"""`_deleted_at` of rows that a filtered read no longer returned: they have changed, or they are gone. No box sees
them; a read without a filter restores them or proves that they are gone."""


def sweep(
    connection: duckdb.DuckDBPyConnection,
    table: SourceTable,
    windows: Sequence[Coverage],
    read_at: datetime,
    changed_at: datetime,
    *,
    accept_deletes: bool = False,
) -> int:
    """Hide the rows that `windows` cover and that were read before `read_at`; the number of rows.

    `windows` are at least one, of one account, and all with the same filter. Without a filter, the rows are gone at the
    provider and become tombstones; otherwise see `OUT_OF_SIGHT`. The number is 0 where the table lacks a column that a
    window or a filter needs. Both timestamps are naive UTC; `changed_at` is that of rows that are gone (see
    `begin_change`). `StoreError` E613 when they are a large part of the table, unless `accept_deletes`.
    """
    account, where = windows[0].account, windows[0].where
    parameters: Parameters = {"read_at": read_at, "account": account}
    found = [_covered_rows(table, each, parameters) for each in windows]
    covered = " OR ".join(f"({each})" for each in found if each is not None)
    if not covered:
        return 0
    name = quote_name(table.name)
    rows = f"_account = $account AND _read_at < $read_at AND ({covered})"
    if where == ((),):
        change = "_deleted_at = $read_at::TIMESTAMP, _changed_at = $changed_at::TIMESTAMP"
        present = f"(_deleted_at IS NULL OR _deleted_at = {OUT_OF_SIGHT})"
        parameters["changed_at"] = changed_at
    else:
        change, present = f"_deleted_at = {OUT_OF_SIGHT}", "_deleted_at IS NULL"
    statement = f"UPDATE {name} SET {change} WHERE {rows} AND {present}"
    ((count,),) = connection.execute(statement, parameters).fetchall()
    if count and where == ((),) and not accept_deletes:
        _demand_few(connection, table, account, read_at)
    return int(count)


def _demand_few(connection: duckdb.DuckDBPyConnection, table: SourceTable, account: str, read_at: datetime) -> None:
    """Refuse when this run, in this commit and those before it, has found many of the account's rows gone."""
    statement = f"""
        SELECT count(*) FILTER (_deleted_at = $read_at), count(*) FILTER (_deleted_at IS NULL OR _deleted_at = $read_at)
        FROM {quote_name(table.name)} WHERE _account = $account
    """
    parameters = {"account": account, "read_at": read_at}
    ((gone, before),) = connection.execute(statement, parameters).fetchall()
    if gone > _FEW and gone > before * _SMALL_PART:
        raise StoreError(
            "E613",
            f"{gone:,} of {before:,} rows of `{table.name}` no longer exist",
            "check whether the key can still see them; if they are really gone, run again with `--accept-deletes`",
        )


def _covered_rows(table: SourceTable, coverage: Coverage, parameters: Parameters) -> str | None:
    """The condition for the coverage's window and filter; None when a column that it needs does not exist."""
    if table.created is None and coverage.window != EVERYTHING:
        return None
    window = coverage.window.predicates(table.created or "")
    return compile_where(tuple((*window, *case) for case in coverage.where), table.relation, parameters)


def compile_where(where: tuple[tuple[Predicate, ...], ...], relation: Relation, parameters: Parameters) -> str | None:
    """`where` (a disjunction of conjunctions) as a SQL condition; its values are added to `parameters`.

    None when a predicate's column is not in `relation`.
    """
    cases: list[str] = []
    for case in where:
        conditions = [_compile(predicate, relation, parameters) for predicate in case]
        if None in conditions:
            return None
        cases.append(" AND ".join(f"({condition})" for condition in conditions) or "TRUE")
    return " OR ".join(f"({case})" for case in cases) or "FALSE"


def _compile(predicate: Predicate, relation: Relation, parameters: Parameters) -> str | None:
    column = relation.find(predicate.column)
    if column is None:
        return None
    is_timestamp = column.type.kind in (Kind.TIMESTAMP, Kind.DATE)
    kind = sql_type(column.type)

    def place(value: Value) -> str:
        name = f"value_{len(parameters)}"
        parameters[name] = value
        if is_timestamp and isinstance(value, int):
            return f"make_timestamp(${name}::BIGINT * 1000000)::{kind}"
        return f"${name}::{kind}"

    places = [place(value) for value in predicate.values]
    if predicate.op is Op.IN:
        return f"{quote_name(column.name)} IN ({', '.join(places)})" if places else "FALSE"
    return f"{quote_name(column.name)} {predicate.op.value} {places[0]}"
