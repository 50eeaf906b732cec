"""Blank objects with every field of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.connectors.stripe.catalogue import Catalogue, Field, FieldType, Resource

ABSENT: Final[Mapping[str, frozenset[str]]] = {
    "account": frozenset({"future_requirements", "groups", "individual", "requirements"}),
    "charge": frozenset({"authorization_code", "level3", "presentment_details", "source", "transfer"}),
    "event": frozenset({"account", "context"}),
    "payment_intent": frozenset({"hooks", "managed_payments", "payment_record", "presentment_details"}),
    "refund": frozenset({"instructions_email", "next_action", "pending_reason", "presentment_details"}),
    "subscription": frozenset({"managed_payments", "presentment_details"}),
    "subscription_item": frozenset({"billed_until", "current_trial"}),
}
"""Optional fields that Stripe omits instead of returning null."""

EMPTY: Final[Mapping[FieldType, Any]] = {
    FieldType.TEXT: "",
    FieldType.INTEGER: 0,
    FieldType.INTEGER_TEXT: "0",
    FieldType.TIMESTAMP: 0,
    FieldType.DATETIME: "1970-01-01T00:00:00Z",
    FieldType.DECIMAL: "0",
    FieldType.NUMBER: 0,
    FieldType.BOOLEAN: False,
    FieldType.OBJECT: {},
    FieldType.MAP: {},
    FieldType.LIST: [],
    FieldType.REFERENCE: "",
    FieldType.RESOURCE: None,
    FieldType.ANY: None,
}


class Shapes:
    """Blank objects by kind, built once and then copied."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._blanks: dict[str, dict[str, Any]] = {}

    def blank(self, resource: str) -> dict[str, Any]:
        """A blank object of this kind: null if allowed, else the empty value of the type."""
        blank = self._blanks.get(resource)
        if blank is None:
            blank = self._blanks[resource] = _blank(self.catalogue.resources[resource])
        return dict(blank)

    def has(self, resource: str, field: str) -> bool:
        """Whether objects of this kind have this field."""
        return self.catalogue.resources[resource].find(field) is not None


def _blank(resource: Resource) -> dict[str, Any]:
    omitted = ABSENT.get(resource.name, frozenset()) | _kinds_of_payment(resource)
    blank: dict[str, Any] = {"id": "", "object": resource.object}
    for each in resource.fields:
        if each.name in ("id", "object", "deleted") or each.includable or each.name in omitted:
            continue
        if each.type is not FieldType.SUBLIST:
            blank[each.name] = _empty(each)
    return blank


def _empty(field: Field) -> Any:
    if field.name == "metadata":
        return {}
    if field.nullable:
        return None
    if field.type is FieldType.ENUM:
        return field.values[0]
    return EMPTY[field.type]


def _kinds_of_payment(resource: Resource) -> frozenset[str]:
    """The type-specific parts of a payment method; an object has only the part of its type."""
    kind = resource.find("type")
    if kind is None or resource.name not in ("payment_method", "source"):
        return frozenset()
    return frozenset(each.name for each in resource.fields if each.name in kind.values)
