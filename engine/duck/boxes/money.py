"""`weir.amount(amount, currency)`: an amount in the smallest unit of a currency as a number of that currency.

A macro, so the binder knows its type and DuckDB sees through it to the columns. A currency that is not in the table
yields NULL. Where boxes run, each such value is noted in the instance's own log, which the box cannot reach: so what it
met is known afterwards, wherever in the SQL it happened.
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
    """Have the macro in the schema `weir` of the instance. With `noting`, `unknown_currencies` knows what it met.

    `known` are the decimals by currency; None: those of the installed connectors. Before the instance is locked.
    """
    cases = _cases(currencies() if known is None else known)
    otherwise = f"NULL::{_UNIT}"
    if noting:
        connection.execute("CALL enable_logging(level = 'error', storage = 'memory')")
        # The log is written only where the value that comes back is no constant NULL.
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
    """The currencies that the macro did not know, with how many amounts had them, the most frequent first."""
    rows = connection.execute(
        f"SELECT message, count(*) FROM duckdb_logs WHERE type = {quote_literal(_LOG)} GROUP BY 1 ORDER BY 2 DESC, 1 "
        f"LIMIT {_NAMED}"
    ).fetchall()
    return tuple((str(name), int(count)) for name, count in rows)


def _cases(known: Mapping[str, int]) -> str:
    """A search in one text for each number of decimals: a hundred branches would cost more than the rest of a box."""
    counts = Counter(decimals for decimals in known.values() if 0 <= decimals <= _MOST_DECIMALS)
    found = []
    sought = "CAST(' ' || lower(currency) || ' ' AS VARCHAR)"  # DuckDB 1.5 finds no function for an untyped NULL
    for decimals, _ in counts.most_common():
        names = " ".join(name for name, count in known.items() if count == decimals)
        is_one = f"length(currency) = 3 AND contains({quote_literal(f' {names} ')}, {sought})"
        found.append(f"WHEN {is_one} THEN {10**-decimals:.{_MOST_DECIMALS}f}")
    return " ".join(found)
