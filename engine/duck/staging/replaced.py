"""Rows that replace others: older ones go; where nothing has changed, the timestamp of the last change stays."""

from __future__ import annotations

import duckdb

from engine.connector import SourceTable

from ..quoting import quote_name
from ..system_columns import ACCOUNT, CHANGED_AT, DELETED_AT
from .content import content_hash, plain_hash

_PAIRS = "weir_replaced"
_ALIKE = "weir_alike"


def replace_older(connection: duckdb.DuckDBPyConnection, table: SourceTable, before: int) -> None:
    """Delete the rows up to row id `before` that later ones replace. Cheaper than any form of upsert with a key.

    A later row with the content of the live one that it replaces takes over its `_changed_at`: all of the provider's
    columns and `_extra` are compared. Among the later rows no key is there twice.
    """
    name = quote_name(table.name)
    key = " AND ".join(f"new.{quote_name(column)} = old.{quote_name(column)}" for column in (ACCOUNT, *table.key))
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {_PAIRS} AS
        SELECT new.rowid AS new_row, old.rowid AS old_row
        FROM {name} AS old JOIN {name} AS new ON {key}
        WHERE old.rowid <= $before AND new.rowid > $before
        """,
        {"before": before},
    )
    ((pairs,),) = connection.execute(f"SELECT count(*) FROM {_PAIRS}").fetchall()
    if pairs:
        _keep_timestamps(connection, table, before)
        connection.execute(
            f"DELETE FROM {name} WHERE rowid <= $before AND rowid IN (SELECT old_row FROM {_PAIRS})", {"before": before}
        )
    connection.execute(f"DROP TABLE {_PAIRS}")


def _keep_timestamps(connection: duckdb.DuckDBPyConnection, table: SourceTable, before: int) -> None:
    """Rows are compared by 64 bits of hash: a join that carries all columns costs as much as a third of a read.

    First by what is cheap to read: of rows that have changed, few are left to be compared whole.
    """
    pairs = _PAIRS
    plain = plain_hash(table.relation)
    if plain is not None:
        found = _same(table, plain, _PAIRS)
        statement = f"CREATE OR REPLACE TEMP TABLE {_ALIKE} AS SELECT new_row, old_row FROM ({found})"
        connection.execute(statement, {"before": before})
        pairs = _ALIKE
    ((alike,),) = connection.execute(f"SELECT count(*) FROM {pairs}").fetchall()
    if alike:
        name = quote_name(table.name)
        same = _same(table, content_hash(table.relation), pairs)
        connection.execute(
            f"""
            UPDATE {name} SET {CHANGED_AT} = same.changed_at FROM ({same}) AS same
            WHERE {name}.rowid = same.new_row AND {name}.rowid > $before
            """,
            {"before": before},
        )
    connection.execute(f"DROP TABLE IF EXISTS {_ALIKE}")


def _same(table: SourceTable, content: str, pairs: str) -> str:
    """SQL for the pairs whose rows are the same by the expression `content`, with when the older one has changed."""
    name = quote_name(table.name)
    return f"""
        SELECT new_row, old_row, changed_at
        FROM {pairs}
        JOIN (
            SELECT rowid AS old_row, {CHANGED_AT} AS changed_at, {content} AS old_content FROM {name}
            WHERE rowid <= $before AND rowid IN (SELECT old_row FROM {pairs})
                AND {DELETED_AT} IS NULL AND {CHANGED_AT} IS NOT NULL
        ) USING (old_row)
        JOIN (
            SELECT rowid AS new_row, {content} AS new_content FROM {name} WHERE rowid > $before
        ) USING (new_row)
        WHERE old_content = new_content
    """
