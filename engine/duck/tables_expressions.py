"""Expressions of a mapping, computed where they can do no harm: they are SQL that nobody here wrote."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import duckdb

from engine.run import StoreError

from .quoting import quote_literal, quote_name

_SECONDS = 600.0
_SETTINGS = (
    "SET TimeZone = 'UTC'",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET allow_persistent_secrets = false",
    "SET python_enable_replacements = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def evaluate_expressions(
    source: Path, target: Path, expressions: Sequence[tuple[str, str]], *, memory_bytes: int, spill: Path
) -> None:
    """Copy the table `result` of `source` into the new file `target`, with a column for each (name, expression).

    The expressions see the row and nothing else: no file, no network, no setting. `StoreError` says why one failed.
    """
    with closing(duckdb.connect()) as connection:
        connection.execute(f"SET memory_limit = '{memory_bytes}B'")
        connection.execute(f"SET temp_directory = {quote_literal(str(spill))}")
        connection.execute(f"ATTACH {quote_literal(str(source))} AS box (READ_ONLY)")
        connection.execute(f"ATTACH {quote_literal(str(target))} AS mapped")
        for setting in _SETTINGS:
            connection.execute(setting)
        added = "".join(f", (\n{expression}\n) AS {quote_name(name)}" for name, expression in expressions)
        sql = f"CREATE TABLE mapped.main.result AS SELECT *{added} FROM box.main.result"
        timer = threading.Timer(_SECONDS, connection.interrupt)
        timer.start()
        try:
            if len(connection.extract_statements(sql)) != 1:
                raise StoreError("E605", "an expression of the mapping is more than one expression")
            connection.execute(sql)
        except duckdb.Error as error:
            raise StoreError("E605", f"an expression of the mapping failed: {first_line(error)}") from error
        finally:
            timer.cancel()


def first_line(error: duckdb.Error) -> str:
    """The first line of DuckDB's message without the name of its class."""
    line = str(error).strip().partition("\n")[0]
    return line.partition(": ")[2] or line
