"""Expressions of a mapping, computed in a locked instance, because they are untrusted SQL."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from engine.run import BoxLimits, StoreError

from ..boxes.hardening import Deadline, lock_down, open_instance
from ..boxes.money import make_amount, mentions_amount, unknown_currencies
from ..files import STORAGE_VERSION
from ..quoting import quote_literal, quote_name


def evaluate_expressions(
    source: Path, target: Path, expressions: Sequence[tuple[str, str]], limits: BoxLimits, spill: Path
) -> tuple[tuple[str, int], ...]:
    """Copy the table `result` of `source` into the new file `target`, with a column for each (name, expression).

    The expressions can read the row and nothing else: no file, network or setting. `StoreError` E605 gives the reason
    for a failure. Returns the currencies unknown to `weir.amount` (see `BoxResult.unknown`).
    """
    added = "".join(f", (\n{expression}\n) AS {quote_name(name)}" for name, expression in expressions)
    sql = f"CREATE TABLE mapped.main.result AS SELECT *{added} FROM box.main.result"
    with open_instance(limits, spill) as connection:
        connection.execute(f"ATTACH {quote_literal(str(source))} AS box (READ_ONLY)")
        version = quote_literal(STORAGE_VERSION)
        connection.execute(f"ATTACH {quote_literal(str(target))} AS mapped (STORAGE_VERSION {version})")
        if counts_money := mentions_amount(added):
            make_amount(connection, noting=True)
        lock_down(connection, limits)
        deadline = Deadline(limits.seconds, connection.interrupt)
        try:
            with deadline:
                if len(connection.extract_statements(sql)) != 1:
                    raise StoreError("E605", "an expression of the mapping is more than one expression")
                connection.execute(sql)
                return unknown_currencies(connection) if counts_money else ()
        except duckdb.Error as error:
            reason = f"took longer than {limits.seconds:g} seconds" if deadline.passed else first_line(error)
            raise StoreError("E605", f"an expression of the mapping failed: {reason}") from error


def first_line(error: duckdb.Error) -> str:
    """The first line of DuckDB's message without the name of its class."""
    line = str(error).strip().partition("\n")[0]
    return line.partition(": ")[2] or line
