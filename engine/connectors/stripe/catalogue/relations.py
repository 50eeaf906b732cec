"""The columns of a table: Stripe's fields, then the system's."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Final

from engine.connector.system_columns import SYSTEM_COLUMNS
from engine.relation import BOOLEAN, FLOAT, INTEGER, JSON, MAP, TEXT, TIMESTAMP, Column, ColumnType, Kind, Relation

from .load import load_catalogue
from .model import Field, FieldType

DECIMAL: Final = ColumnType(Kind.DECIMAL, 38, 12)
"""The column type of Stripe's decimal texts, which have at most 12 decimal places."""

COLUMN_TYPES: Final = MappingProxyType(
    {
        FieldType.TEXT: TEXT,
        FieldType.ENUM: TEXT,
        FieldType.INTEGER: INTEGER,
        FieldType.INTEGER_TEXT: INTEGER,
        FieldType.TIMESTAMP: TIMESTAMP,
        FieldType.DATETIME: TIMESTAMP,
        FieldType.DECIMAL: DECIMAL,
        FieldType.NUMBER: FLOAT,
        FieldType.BOOLEAN: BOOLEAN,
        FieldType.MAP: MAP,
        FieldType.REFERENCE: TEXT,
        FieldType.OBJECT: JSON,
        FieldType.LIST: JSON,
        FieldType.RESOURCE: JSON,
        FieldType.SUBLIST: JSON,
        FieldType.ANY: JSON,
    }
)


@cache
def table_fields(name: str) -> tuple[Field, ...]:
    """The fields of a table's rows in order of name: `id` first, then those of all its kinds, and the parents' ids.

    Where kinds disagree on a field's type it is `any`. A field that only some kinds have is nullable. KeyError for an
    unknown table.
    """
    catalogue = load_catalogue()
    table = catalogue.tables[name]
    found: dict[str, Field] = {}
    kinds = [catalogue.resources[each] for each in table.resources]
    for kind in kinds:
        for field in kind.fields:
            known = found.get(field.name)
            found[field.name] = field if known is None else _united(known, field)
    for each, field in found.items():
        if any(kind.find(each) is None for kind in kinds):
            found[each] = replace(field, nullable=True)
    for parent in table.parents:
        own = found.get(parent.field, Field(parent.field, FieldType.TEXT))
        found[parent.field] = replace(own, nullable=False)
    return tuple(sorted(found.values(), key=lambda field: (field.name != "id", field.name)))


def _united(one: Field, other: Field) -> Field:
    nullable = one.nullable or other.nullable
    targets = tuple(sorted({*one.targets, *other.targets}))
    values = tuple(sorted({*one.values, *other.values}))
    if one.type is other.type:
        return replace(one, nullable=nullable, targets=targets, values=values)
    kinds = {one.type, other.type}
    if kinds == {FieldType.TEXT, FieldType.ENUM}:
        return Field(one.name, FieldType.TEXT, nullable)
    if kinds == {FieldType.TEXT, FieldType.REFERENCE}:
        return Field(one.name, FieldType.REFERENCE, nullable, targets=targets)
    return Field(one.name, FieldType.ANY, nullable)


@cache
def table_relation(name: str) -> Relation:
    """The columns of a staging table: `table_fields` in their order, then the system's. KeyError if unknown."""
    own = (Column(field.name, COLUMN_TYPES[field.type], field.required) for field in table_fields(name))
    return Relation((*own, *SYSTEM_COLUMNS))
