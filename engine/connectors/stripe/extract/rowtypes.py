"""Strict types for the rows of each table, made from the catalogue: what decodes as one, staging stores losslessly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

import msgspec

from ..catalogue import Field, FieldType, load_catalogue, table_fields

PREFIX: Final = "f_"
"""Attributes of row types are the field's name behind this, because fields may be called `from` or `class`."""
EXTRA: Final = "_extra"

_INT64: Final = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_TIMESTAMP: Final = Annotated[int, msgspec.Meta(ge=-62_135_596_800, le=253_402_300_799)]
_TIMESTAMP_TEXT: Final = Annotated[
    str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6}0*)?(Z|[+-]\d\d:\d\d)$")
]
_INTEGER_TEXT: Final = Annotated[str, msgspec.Meta(pattern=r"^-?\d{1,18}$")]
_DECIMAL_TEXT: Final = Annotated[str, msgspec.Meta(pattern=r"^-?\d{1,26}(\.\d{1,12}0*)?$")]

_TYPES: Final[Mapping[FieldType, Any]] = MappingProxyType(
    {
        FieldType.TEXT: str | None,
        FieldType.ENUM: str | None,
        FieldType.REFERENCE: str | None,
        FieldType.INTEGER: _INT64 | None,
        FieldType.TIMESTAMP: _TIMESTAMP | None,
        FieldType.INTEGER_TEXT: _INTEGER_TEXT | None,
        FieldType.DATETIME: _TIMESTAMP_TEXT | None,
        FieldType.DECIMAL: _DECIMAL_TEXT | None,
        FieldType.NUMBER: float | None,
        FieldType.BOOLEAN: bool | None,
        FieldType.MAP: dict[str, str] | None,
    }
)
"""What a column of that type holds without loss. All others are kept as JSON, whatever they are."""


class Envelope(msgspec.Struct, gc=False):
    """The members of a list answer that paging needs. `data` comes with the subclass."""

    has_more: bool = False
    url: str | None = None
    next_page_url: str | None = None


class LooseList(Envelope, gc=False):
    """A list answer whose items are not looked into."""

    data: list[msgspec.Raw] = []


@dataclass(frozen=True, slots=True)
class RowType:
    """How one table's pages are decoded. `page` gives an `Envelope` with strict rows in `data`.

    `fields` decodes single values. `expected` are the values of `object`; `own` are the fields that Stripe's objects
    have (a parent's id may not be among them).
    """

    table: str
    key: tuple[str, ...]
    page: msgspec.json.Decoder[Any]
    fields: Mapping[str, msgspec.json.Decoder[Any]]
    references: frozenset[str]
    expected: frozenset[str]
    own: frozenset[str]


@cache
def row_type(table_name: str) -> RowType:
    """The strict type of a table's rows. KeyError for an unknown table. Made once a process."""
    catalogue = load_catalogue()
    table = catalogue.tables[table_name]
    kinds = [catalogue.resources[each] for each in table.resources]
    expected = frozenset(kind.object for kind in kinds)
    fields = table_fields(table_name)
    types = {field.name: _type(field, expected) for field in fields}
    members: list[Any] = []
    for field in fields:
        name, type_ = PREFIX + field.name, types[field.name]
        if field.name == "id":
            members.append((name, type_))
        else:
            members.append((name, type_, msgspec.Raw(b"") if type_ is msgspec.Raw else None))
    members.append((EXTRA, msgspec.Raw, msgspec.Raw(b"")))
    row = msgspec.defstruct(
        f"Row_{table_name}",
        members,
        rename={PREFIX + name: name for name in types},
        forbid_unknown_fields=True,
        gc=False,
    )
    page = msgspec.defstruct(f"Page_{table_name}", [("data", list[row])], bases=(Envelope,), kw_only=True, gc=False)  # type: ignore[valid-type]
    return RowType(
        table=table_name,
        key=table.key,
        page=msgspec.json.Decoder(page),
        fields={name: msgspec.json.Decoder(type_) for name, type_ in types.items()},
        references=frozenset(field.name for field in fields if field.type is FieldType.REFERENCE),
        expected=expected,
        own=frozenset(field.name for kind in kinds for field in kind.fields),
    )


def _type(field: Field, expected: frozenset[str]) -> Any:
    if field.name == "id":
        return str
    if field.name == "object":
        return Literal[tuple(sorted(expected))] | None
    return _TYPES.get(field.type, msgspec.Raw)
