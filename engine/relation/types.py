"""Columns and their types, in the syntax of the definition language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_DECIMAL = re.compile(r"decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)")


class Kind(StrEnum):
    """The scalar kinds of the language, `list`, and `map`, which only sources have."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    JSON = "json"
    LIST = "list"
    MAP = "map"  # text to text, in source tables only: `metadata['tier']` is plain text


_PLAIN = frozenset(kind.value for kind in Kind) - {Kind.DECIMAL.value, Kind.LIST.value, Kind.MAP.value}


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column's type: integers have 64 bits, timestamps are in UTC with microseconds.

    `precision` and `scale` belong to decimals (1 ≤ precision ≤ 38, scale ≤ precision), `item` to lists.
    """

    kind: Kind
    precision: int = 0
    scale: int = 0
    item: ColumnType | None = None

    @classmethod
    def parse(cls, text: str) -> ColumnType:
        """Read `text`, `decimal(18,2)`, `integer[]` …; ValueError states what was expected."""
        written = text.strip()
        if written.endswith("[]"):
            return cls(Kind.LIST, item=cls.parse(written[:-2]))
        if match := _DECIMAL.fullmatch(written):
            precision, scale = int(match[1]), int(match[2])
            if not 1 <= precision <= 38 or scale > precision:
                raise ValueError("expected a decimal with a precision of 1 to 38 and a scale of at most the precision")
            return cls(Kind.DECIMAL, precision, scale)
        if written in _PLAIN:
            return cls(Kind(written))
        raise ValueError(
            "expected text, integer, decimal(p,s), float, boolean, date, timestamp or json, or one of these with []"
        )

    def __str__(self) -> str:
        if self.kind is Kind.LIST:
            return f"{self.item}[]"
        if self.kind is Kind.DECIMAL:
            return f"decimal({self.precision},{self.scale})"
        return self.kind.value


TEXT = ColumnType(Kind.TEXT)
INTEGER = ColumnType(Kind.INTEGER)
FLOAT = ColumnType(Kind.FLOAT)
BOOLEAN = ColumnType(Kind.BOOLEAN)
DATE = ColumnType(Kind.DATE)
TIMESTAMP = ColumnType(Kind.TIMESTAMP)
JSON = ColumnType(Kind.JSON)
MAP = ColumnType(Kind.MAP)
"""Text to text. The schema language has no such type: a mapping writes a map to a json column."""


@dataclass(frozen=True, slots=True)
class Column:
    """A named, typed column; `required` means that it is never NULL."""

    name: str
    type: ColumnType
    required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """An ordered set of columns with distinct names: those of a table, or of a SQL box."""

    columns: tuple[Column, ...]

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names in order."""
        return tuple(column.name for column in self.columns)

    def find(self, name: str) -> Column | None:
        """The column with this name, or None. Names are case-insensitive, as in SQL."""
        folded = name.casefold()
        return next((column for column in self.columns if column.name.casefold() == folded), None)
