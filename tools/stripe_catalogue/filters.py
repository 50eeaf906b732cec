"""The column comparison of a list's filters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.connectors.stripe.catalogue.model import Field, FieldType, Filter, FilterKind, Parent, Resource
from tools.stripe_catalogue import facts

_TEXTS = frozenset({FieldType.TEXT, FieldType.ENUM, FieldType.REFERENCE})
_TIMES = frozenset({FieldType.TIMESTAMP, FieldType.INTEGER})


def with_columns(
    path: str, filters: Sequence[Filter], kinds: Sequence[Resource], parents: Sequence[Parent]
) -> tuple[Filter, ...]:
    """The filters, each with the column that it compares, if any."""
    given = {parent.param: parent.field for parent in parents}
    return tuple(_with_column(path, each, kinds, given) for each in filters)


def _with_column(path: str, each: Filter, kinds: Sequence[Resource], given: dict[str, str]) -> Filter:
    place = (path, each.param)
    if each.param in given:
        return replace(each, column=given[each.param])
    if place in facts.NOT_COLUMNS or path.startswith("/v2/"):
        # v2 filters are few and differ from their columns in time and state: such lists are read whole.
        return each
    name = facts.LIST_COLUMNS.get(place, each.param if each.kind is not FilterKind.VALUES else None)
    columns = [kind.find(name) for kind in kinds] if name else []
    if not columns or not all(column is not None and _answers(each, column) for column in columns):
        return each
    pseudo = facts.PSEUDO_VALUES.get(place, frozenset())
    values = facts.FILTER_VALUES.get(place) or each.values or _known_values(columns)
    answers = tuple(value for value in values if value not in pseudo)
    return replace(each, column=name, exact=place not in facts.WIDER, answers=answers)


def _known_values(columns: Sequence[Field | None]) -> tuple[str, ...]:
    """The values of a column, for a filter that does not list its own."""
    return tuple(sorted({value for column in columns if column for value in column.values}))


def _answers(each: Filter, column: Field) -> bool:
    if each.kind is FilterKind.RANGE:
        return column.type in _TIMES
    if each.type is FieldType.BOOLEAN:
        # The result of `false` for rows without a value is undocumented.
        return column.type is FieldType.BOOLEAN and not column.nullable
    if each.type is FieldType.INTEGER:
        return column.type is FieldType.INTEGER
    return each.type in _TEXTS and column.type in _TEXTS
