"""Whether a staging row says what an object says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from engine.connectors.stripe.catalogue import FieldType, load_catalogue
from engine.connectors.stripe.catalogue.relations import table_fields

NESTED: Final = frozenset({FieldType.OBJECT, FieldType.LIST, FieldType.RESOURCE, FieldType.SUBLIST, FieldType.ANY})
EMBEDDED: Final = frozenset({"price", "plan", "tax_rate", "discount", "balance_transaction"})
"""Kinds that are answered whole inside of others: they change without an event of the object that shows them."""
BY_THE_WAY: Final[Mapping[str, frozenset[str]]] = {
    "customers": frozenset({"next_invoice_sequence"}),
}
"""Counters that move with something else: Stripe writes no event of the object for it."""


def said_by(table: str, shown: Mapping[str, Any], *, whole: bool = True) -> dict[str, Any]:
    """The values that an object's row should have. Without `whole`, what moves without an event is left out."""
    left_out = frozenset() if whole else BY_THE_WAY.get(table, frozenset())
    found: dict[str, Any] = {}
    for field in table_fields(table):
        if field.name in left_out:
            continue
        value = shown.get(field.name)
        if field.type is FieldType.REFERENCE and isinstance(value, Mapping):
            value = value["id"]
        elif value is not None and field.type is FieldType.DECIMAL:
            value = Decimal(value)
        elif value is not None and field.type in NESTED:
            value = value if whole else _with_ids(value)
        found[field.name] = value
    return found


def said_by_row(table: str, row: Mapping[str, Any], *, whole: bool = True) -> dict[str, Any]:
    """The values that a row has, in the same form."""
    left_out = frozenset() if whole else BY_THE_WAY.get(table, frozenset())
    found: dict[str, Any] = {}
    for field in table_fields(table):
        if field.name in left_out:
            continue
        value = row[field.name]
        if isinstance(value, datetime):
            value = int(value.replace(tzinfo=UTC).timestamp())
        elif field.type in NESTED and value is not None:
            value = json.loads(value)
            value = value if whole else _with_ids(value)
        found[field.name] = value
    return found


def _with_ids(value: Any) -> Any:
    """The value with embedded objects as their ids."""
    if isinstance(value, list):
        return [_with_ids(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("object") in EMBEDDED:
        return value["id"]
    return {name: _with_ids(each) for name, each in value.items()}


def differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """By field: what should be there, and what is."""
    return {name: (expected[name], found.get(name)) for name in expected if expected[name] != found.get(name)}


def demand_same(
    truth: Mapping[str, Mapping[str, Mapping[str, Any]]],
    rows: Mapping[tuple[str, str | None], Sequence[dict[str, Any]]],
    *,
    whole: bool = True,
) -> None:
    """The live rows of the key's own account, by (table, account), say what the objects do, by table and id."""
    for table, objects in truth.items():
        live = live_of(rows.get((table, None), []))
        assert set(live) == set(objects), table
        for name, shown in objects.items():
            wrong = differences(said_by(table, shown, whole=whole), said_by_row(table, live[name], whole=whole))
            assert not wrong, (table, name, wrong)
            assert live[name]["_extra"] is None, (table, name)


def live_of(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The rows that are not dead, by id; no id comes twice."""
    live = [row for row in rows if row["_deleted_at"] is None]
    found = {row["id"]: row for row in live}
    assert len(found) == len(live), "doubles"
    return found


def parent_field(table: str) -> str | None:
    """The column that holds the parent's id; None for a table that stands alone."""
    parents = load_catalogue().tables[table].parents
    return parents[0].field if parents else None
