"""`weir.amount(amount, currency)`: converts an amount in the smallest unit of a currency to major units.

It is a macro, so the binder knows its type and DuckDB's optimizer sees the columns. An unknown currency yields NULL.
While a box runs, each unknown currency is written to the instance's log, which the box cannot read, so that it can be
reported wherever in the SQL it occurred.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

import duckdb

from engine.connector.installed import currencies
from engine.graph import WEIR_NAMESPACE

from ..quoting import quote_literal

_MENTIONED: Final = re.compile(rf"\b{WEIR_NAMESPACE}\b\W*\bamount\b", re.IGNORECASE)
_LOG: Final = "weir_currency"
_LONGEST: Final = 20
_NAMED: Final = 10
_MOST_DECIMALS: Final = 3
_UNIT: Final = f"DECIMAL({_MOST_DECIMALS + 1}, {_MOST_DECIMALS})"


def mentions_amount(sql: str) -> bool:
    """Whether the SQL may call the macro."""
    return _MENTIONED.search(sql) is not None


def make_amount(
    connection: duckdb.DuckDBPyConnection, *, noting: bool = False, known: Mapping[str, int] | None = None
) -> None:
    """Create the macro in the schema `weir`. With `noting`, unknown currencies are logged for `unknown_currencies`.

    `known` are the decimals by currency; None: those of the installed connectors. Call it before `lock_down`.
    """
    cases = _cases(currencies() if known is None else known)
    otherwise = f"NULL::{_UNIT}"
    if noting:
        connection.execute("CALL enable_logging(level = 'error', storage = 'memory')")
        # DuckDB calls write_log only if its result is not a constant NULL.
        noted = f"left(lower(currency), {_LONGEST})"
        otherwise = (
            f"TRY_CAST(write_log({noted}, level := 'error', scope := 'connection', log_type := {quote_literal(_LOG)}, "
            f"return_value := '') AS {_UNIT})"
        )
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {WEIR_NAMESPACE}")
    connection.execute(
        f"""
        CREATE OR REPLACE MACRO {WEIR_NAMESPACE}.amount(amount, currency) AS (
            amount * CASE WHEN amount IS NULL OR currency IS NULL THEN NULL {cases} ELSE {otherwise} END
        )
        """
    )


def unknown_currencies(connection: duckdb.DuckDBPyConnection) -> tuple[tuple[str, int], ...]:
    """The currencies unknown to the macro with their number of amounts, the most frequent first."""
    rows = connection.execute(
        f"SELECT message, count(*) FROM duckdb_logs WHERE type = {quote_literal(_LOG)} GROUP BY 1 ORDER BY 2 DESC, 1 "
        f"LIMIT {_NAMED}"
    ).fetchall()
    return tuple((str(name), int(count)) for name, count in rows)


def _cases(known: Mapping[str, int]) -> str:
    """One text search per number of decimals: a branch per currency would cost more than the rest of a box."""
    counts = Counter(decimals for decimals in known.values() if 0 <= decimals <= _MOST_DECIMALS)
    found = []
    sought = "CAST(' ' || lower(currency) || ' ' AS VARCHAR)"  # DuckDB 1.5 finds no function for an untyped NULL
    for decimals, _ in counts.most_common():
        names = " ".join(name for name, count in known.items() if count == decimals)
        is_one = f"length(currency) = 3 AND contains({quote_literal(f' {names} ')}, {sought})"
        found.append(f"WHEN {is_one} THEN {10**-decimals:.{_MOST_DECIMALS}f}")
    return " ".join(found)
