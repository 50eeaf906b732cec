"""Comparison of staging rows with their objects."""

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
"""Kinds embedded completely in other objects: they change without an event of the object that shows them."""
BY_THE_WAY: Final[Mapping[str, frozenset[str]]] = {
    "customers": frozenset({"next_invoice_sequence"}),
}
"""Counters that change with other objects: Stripe writes no event of the object for it."""


def values_of_object(table: str, shown: Mapping[str, Any], *, whole: bool = True) -> dict[str, Any]:
    """The values expected in the row of an object. Without `whole`, fields that change without an event are skipped."""
    skipped = frozenset() if whole else BY_THE_WAY.get(table, frozenset())
    found: dict[str, Any] = {}
    for field in table_fields(table):
        if field.name in skipped:
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


def values_of_row(table: str, row: Mapping[str, Any], *, whole: bool = True) -> dict[str, Any]:
    """The values of a row, in the same form."""
    skipped = frozenset() if whole else BY_THE_WAY.get(table, frozenset())
    found: dict[str, Any] = {}
    for field in table_fields(table):
        if field.name in skipped:
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
    """The value with embedded objects replaced by their IDs."""
    if isinstance(value, list):
        return [_with_ids(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("object") in EMBEDDED:
        return value["id"]
    return {name: _with_ids(each) for name, each in value.items()}


def differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The expected and the actual value of each field that differs."""
    return {name: (expected[name], found.get(name)) for name in expected if expected[name] != found.get(name)}


def demand_same(
    truth: Mapping[str, Mapping[str, Mapping[str, Any]]],
    rows: Mapping[tuple[str, str | None], Sequence[dict[str, Any]]],
    *,
    whole: bool = True,
) -> None:
    """Assert that the live rows of the key's own account, by (table, account), equal the objects by table and ID."""
    for table, objects in truth.items():
        live = live_of(rows.get((table, None), []))
        assert set(live) == set(objects), table
        for name, shown in objects.items():
            wrong = differences(
                values_of_object(table, shown, whole=whole), values_of_row(table, live[name], whole=whole)
            )
            assert not wrong, (table, name, wrong)
            assert live[name]["_extra"] is None, (table, name)


def live_of(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The live rows by ID; asserts that no ID is duplicate."""
    live = [row for row in rows if row["_deleted_at"] is None]
    found = {row["id"]: row for row in live}
    assert len(found) == len(live), "doubles"
    return found


def parent_field(table: str) -> str | None:
    """The column with the parent's ID; None for a table without a parent."""
    parents = load_catalogue().tables[table].parents
    return parents[0].field if parents else None
