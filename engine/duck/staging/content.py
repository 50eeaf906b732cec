"""What a row holds, beside what Weir notes about it: the provider's columns and `_extra`."""

from __future__ import annotations

from typing import Final

from engine.relation import Column, Kind, Relation

from ..quoting import quote_name
from ..system_columns import EXTRA, SYSTEM_COLUMNS

_PLAIN: Final = frozenset({Kind.INTEGER, Kind.BOOLEAN, Kind.TIMESTAMP, Kind.DATE})


def content_hash(relation: Relation) -> str:
    """SQL for 64 bits that are equal for rows with the same content, and for others as good as never.

    DuckDB gives NULL, an empty list and lists that differ only in length or NULLs one hash, so these count as text.
    """
    columns = [_hashed(column) for column in relation if column.name not in SYSTEM_COLUMNS]
    return f"hash({', '.join([*columns, EXTRA])})"


def plain_hash(relation: Relation) -> str | None:
    """The same of the columns that are cheap to read: rows that differ in it differ in their content.

    They have one width; texts are unpacked by the thousand to read one. None where there is no such column.
    """
    columns = [
        quote_name(column.name)
        for column in relation
        if column.name not in SYSTEM_COLUMNS and column.type.kind in _PLAIN
    ]
    return f"hash({', '.join(columns)})" if columns else None


def _hashed(column: Column) -> str:
    name = quote_name(column.name)
    return f"to_json({name})::VARCHAR" if column.type.kind in (Kind.LIST, Kind.MAP) else name
