"""Every response of the sandbox conforms to the SDK's classes, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from engine.connectors.stripe.catalogue import FieldType, load_catalogue
from tests.support.sandbox.client import Client
from tests.support.sandbox.sdk_schema import reader


def errors(shown: Any) -> Iterator[str]:
    known = reader()
    name = known.objects[shown["object"]]
    known.define(name)
    document = {"$id": "urn:sdk", "$defs": known.definitions}
    registry = Registry().with_resource("urn:sdk", Resource.from_contents(document, DRAFT202012))
    validator = Draft202012Validator({"$ref": f"urn:sdk#/$defs/{name}"}, registry=registry)
    for error in validator.iter_errors(shown):
        place = ".".join(map(str, error.absolute_path))
        yield f"{shown['object']}.{place}: {error.message[:300]} {[c.message[:100] for c in error.context or ()][:3]}"


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(customers=60)


def seeded(client: Client) -> list[str]:
    store = client.sandbox.world.store(client.sandbox.world.platform)
    return [name for name, table in store.tables() if table.rows]


def test_every_seeded_kind_is_covered_by_the_check(client: Client) -> None:
    wanted = {
        "balance_transaction", "charge", "coupon", "credit_note", "customer", "discount", "dispute", "event", "invoice",
        "invoice_payment", "invoiceitem", "line_item", "payment_intent", "payment_method", "payout", "price", "product",
        "promotion_code", "quote", "refund", "subscription", "subscription_item", "tax_id", "tax_rate",
    }  # fmt: skip
    assert wanted <= set(seeded(client))


def samples(rows: list[Any]) -> list[Any]:
    """A few of each status and type, so that every variant is checked and the test stays quick."""
    seen: dict[tuple[Any, ...], int] = {}
    chosen = []
    for row in rows:
        kind = tuple(str(row.obj.get(name)) for name in ("status", "type", "billing_reason", "billing_scheme"))
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] <= 2:
            chosen.append(row)
    return chosen


def test_seeded_objects_conform_to_the_sdk(client: Client) -> None:
    world = client.sandbox.world
    store = world.store(world.platform)
    found: list[str] = []
    for name in seeded(client):
        for row in samples(list(store.table(name).rows.values())):
            shown = world.renderer.show(store, name, row)
            if name == "event":
                found += errors(shown["data"]["object"])
                shown = {**shown, "data": {**shown["data"], "object": {}}}
            found += errors(shown)
    assert not found, "\n".join(sorted(set(found))[:40])


@pytest.mark.parametrize("path", ["/v1/account", "/v1/balance"])
def test_singletons_conform_to_the_sdk(client: Client, path: str) -> None:
    assert not list(errors(client.get(path)))


def test_expanded_objects_conform_to_the_sdk(client: Client) -> None:
    paths = {
        "/v1/charges": [
            "data.customer",
            "data.balance_transaction",
            "data.payment_intent.latest_charge",
            "data.refunds",
        ],
        "/v1/invoices": [
            "data.payments",
            "data.customer",
            "data.parent.subscription_details.subscription",
            "data.discounts",
        ],
        "/v1/subscriptions": [
            "data.latest_invoice.payments",
            "data.default_payment_method",
            "data.items.data.price.product",
        ],
        "/v1/prices": ["data.tiers", "data.product", "data.currency_options"],
        "/v1/customers": ["data.subscriptions", "data.sources", "data.tax_ids", "data.tax"],
        "/v1/quotes": ["data.line_items"],
        "/v1/refunds": ["data.charge", "data.balance_transaction.source"],
        "/v1/disputes": ["data.charge.customer"],
    }
    found: list[str] = []
    for path, expands in paths.items():
        page = client.get(path, [("limit", "25"), *(("expand[]", each) for each in expands)])
        assert page["data"]
        for shown in page["data"]:
            found += errors(shown)
    assert not found, "\n".join(sorted(set(found))[:40])


def test_blank_objects_have_every_field_the_catalogue_requires() -> None:
    catalogue = load_catalogue()
    shapes = Client(customers=0).sandbox.world.shapes
    for name, resource in catalogue.resources.items():
        blank = shapes.blank(name)
        for field in resource.fields:
            if field.required and field.type is not FieldType.SUBLIST and field.name not in ("deleted",):
                assert field.name in blank, f"{name}.{field.name}"
            if field.name in blank and field.values and blank[field.name] is not None:
                assert blank[field.name] in field.values, f"{name}.{field.name}"


def test_the_checker_rejects_invalid_objects(client: Client) -> None:
    charge = client.get("/v1/charges", [("limit", "1")])["data"][0]
    assert not list(errors(charge))
    assert list(errors({**charge, "surprise": 1}))
    assert list(errors({**charge, "amount": "12"}))
    assert list(errors({**charge, "status": "done"}))
    assert list(errors({key: value for key, value in charge.items() if key != "currency"}))
    card = charge["payment_method_details"]["card"]
    assert list(errors({**charge, "payment_method_details": {"type": "card", "card": {**card, "surprise": 1}}}))
    invoice = client.get("/v1/invoices", [("limit", "1")])["data"][0]
    line = invoice["lines"]["data"][0]
    assert not list(errors(invoice))
    assert list(errors({**invoice, "lines": {**invoice["lines"], "data": [{**line, "period": {"end": 1}}]}}))
