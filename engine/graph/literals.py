"""Values as SQL literals: the only way to put a value into a SQL box."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal


class SqlText(str):
    """Text that already is SQL: an identifier quoted by `ident`. Everything else becomes a literal."""

    __slots__ = ()


def sql_literal(value: object) -> str:
    """The literal for a value. TypeError for values without one (mappings, functions); ValueError for text with NUL.

    Timestamps are UTC: an aware one is converted, a naive one is taken as UTC. A list becomes `(a, b)`, for `IN`; an
    empty list becomes a query without rows, so that `IN` is false and `NOT IN` is true.
    """
    match value:
        case SqlText():
            return str(value)
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value)
        case Decimal():
            return f"{value:f}" if value.is_finite() else _text(str(value)) + "::DOUBLE"
        case float():
            return repr(value) if math.isfinite(value) else _text(str(value)) + "::DOUBLE"
        case str():
            return _text(value)
        case datetime():
            utc = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            return f"TIMESTAMP {_text(utc.isoformat(sep=' '))}"
        case date():
            return f"DATE {_text(value.isoformat())}"
        case list() | tuple() | set() | frozenset():
            return _list(value)
        case _:
            raise TypeError(f"a {type(value).__name__} cannot be written as a SQL value")


def sql_identifier(name: str) -> SqlText:
    """A name in double quotes. ValueError for an empty one or one with NUL."""
    if not name or "\x00" in name:
        raise ValueError("an identifier cannot be empty or contain a NUL character")
    return SqlText('"' + name.replace('"', '""') + '"')


def _text(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text with a NUL character cannot be written as a SQL value")
    return "'" + text.replace("'", "''") + "'"


def _list(values: Iterable[object]) -> str:
    written = [sql_literal(value) for value in values]
    return f"({', '.join(written)})" if written else "(SELECT NULL WHERE FALSE)"


def sql_array(values: Iterable[object]) -> SqlText:
    """A list as one value, `[a, b]`. TypeError for any other type."""
    if not isinstance(values, list | tuple):
        raise TypeError("expected a list")
    return SqlText(f"[{', '.join(sql_literal(value) for value in values)}]")
