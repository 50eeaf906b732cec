"""Expansion and search."""

from __future__ import annotations

import pytest

from engine.sandbox.objects.render import CUT
from tests.support.sandbox.client import Client

CLIENT = Client(customers=30)
STORE = CLIENT.sandbox.world.store(CLIENT.sandbox.world.platform)


def test_expand_replaces_references_by_objects() -> None:
    charge = CLIENT.get(
        "/v1/charges", [("limit", "1"), ("expand[]", "data.customer"), ("expand[]", "data.balance_transaction.source")]
    )
    shown = charge["data"][0]
    assert shown["customer"] == CLIENT.get(f"/v1/customers/{shown['customer']['id']}")
    assert shown["balance_transaction"]["source"]["id"] == shown["id"]
    assert CLIENT.get("/v1/charges", [("limit", "1")])["data"][0]["customer"] == shown["customer"]["id"]


def test_expand_reaches_four_levels_and_lists() -> None:
    subscription = CLIENT.get("/v1/subscriptions", [("limit", "1")])["data"][0]["id"]
    shown = CLIENT.get(
        f"/v1/subscriptions/{subscription}",
        [("expand[]", "latest_invoice.payments.data.payment.payment_intent"), ("expand[]", "items.data.price.product")],
    )
    assert shown["items"]["data"][0]["price"]["product"]["object"] == "product"
    payments = shown["latest_invoice"]["payments"]
    assert payments["url"] == f"/v1/invoice_payments?invoice={shown['latest_invoice']['id']}"
    assert all(each["payment"]["payment_intent"]["object"] == "payment_intent" for each in payments["data"])


def test_includable_fields_are_present_only_if_expanded() -> None:
    customer = next(iter(STORE.table("subscription").rows.values())).obj["customer"]
    assert "subscriptions" not in CLIENT.get(f"/v1/customers/{customer}")
    shown = CLIENT.get(f"/v1/customers/{customer}", [("expand[]", "subscriptions")])["subscriptions"]
    assert shown["data"][0]["customer"] == customer
    tiered = next(row.id for row in STORE.table("price").rows.values() if row.obj["tiers_mode"])
    assert "tiers" not in CLIENT.get(f"/v1/prices/{tiered}")
    assert CLIENT.get(f"/v1/prices/{tiered}", [("expand[]", "tiers")])["tiers"][0]["up_to"] == CUT


def test_a_deleted_object_expands_to_its_stub() -> None:
    client = Client(customers=10)
    charge = client.get("/v1/charges", [("limit", "1")])["data"][0]
    client.delete(f"/v1/customers/{charge['customer']}")
    shown = client.get(f"/v1/charges/{charge['id']}", [("expand[]", "customer")])["customer"]
    assert shown == {"id": charge["customer"], "object": "customer", "deleted": True}
    assert client.get(f"/v1/customers/{charge['customer']}") == shown


@pytest.mark.parametrize(
    ("path", "expand"),
    [
        ("/v1/charges", "customer"),
        ("/v1/charges", "data.color"),
        ("/v1/charges", "data.amount"),
        ("/v1/charges", "data.customer.color"),
        ("/v1/charges", "data.payment_intent.latest_charge.payment_intent.latest_charge.customer"),
        ("/v1/balance", "available"),
    ],
)
def test_an_unexpandable_path_is_rejected(path: str, expand: str) -> None:
    reply = CLIENT.ask("GET", path, [("expand[]", expand)])
    assert reply.status == 400
    assert "expand" in reply.error["message"]


def search(query: str, resource: str = "customers", client: Client = CLIENT) -> set[str]:
    found: set[str] = set()
    page = None
    while True:
        more = [("page", page)] if page else []
        reply = client.get(f"/v1/{resource}/search", [("query", query), ("limit", "7"), *more])
        assert reply["object"] == "search_result"
        found |= {each["id"] for each in reply["data"]}
        page = reply["next_page"]
        assert reply["has_more"] == (page is not None)
        if page is None:
            return found


def customers(keep: object) -> set[str]:
    assert callable(keep)
    return {row.id for row in STORE.table("customer").rows.values() if keep(row.obj)}


def test_search_finds_the_objects_that_match() -> None:
    row = next(iter(STORE.table("customer").rows.values()))
    assert search(f"email:'{row.obj['email']}'") == {row.id}
    assert search("metadata['tier']:'pro'") == customers(lambda each: each["metadata"]["tier"] == "pro")
    assert search('-metadata["tier"]:"pro"') == customers(lambda each: each["metadata"]["tier"] != "pro")
    assert search("metadata['nope']:null") == customers(lambda _: True)
    both = search("metadata['tier']:'pro' AND metadata['channel']:'ads'")
    assert both == customers(lambda each: each["metadata"]["tier"] == "pro" and each["metadata"]["channel"] == "ads")
    either = search("metadata['channel']:'ads' OR metadata['channel']:'event'")
    assert either == customers(lambda each: each["metadata"]["channel"] in ("ads", "event"))
    assert search("email~'example'") == customers(lambda _: True)
    assert search(f"created>{row.created}") == customers(lambda each: each["created"] > row.created)
    charges = {
        each.id
        for each in STORE.table("charge").rows.values()
        if each.obj["amount"] >= 10_000 and each.obj["currency"] == "eur"
    }
    assert search("amount>=10000 AND currency:'eur'", "charges") == charges


def test_search_has_a_total_count_only_if_expanded() -> None:
    page = CLIENT.get(
        "/v1/customers/search", [("query", "email~'example'"), ("expand[]", "total_count"), ("limit", "1")]
    )
    assert page["total_count"] == len(STORE.table("customer").rows)


@pytest.mark.parametrize(
    "query",
    ["", "email", "email:", "color:'red'", "email~'ab'", "metadata:'x'", "a:'b' AND email:'x' OR name:'y'",
     "email:'a' AND email:'b' OR email:'c'", "email:'open"],
)  # fmt: skip
def test_an_invalid_query_is_rejected(query: str) -> None:
    reply = CLIENT.ask("GET", "/v1/customers/search", [("query", query)])
    assert (reply.status, reply.error["param"]) == (400, "query")


def test_search_with_a_lag_returns_the_earlier_object() -> None:
    client = Client(customers=3, search_lag=60)
    made = client.post("/v1/customers", [("email", "late@mail.example")])
    assert search("email:'late@mail.example'", client=client) == set()
    client.advance(61)
    assert search("email:'late@mail.example'", client=client) == {made["id"]}
    client.post(f"/v1/customers/{made['id']}", [("email", "later@mail.example")])
    assert search("email:'late@mail.example'", client=client) == {made["id"]}
    client.advance(61)
    assert search("email:'late@mail.example'", client=client) == set()
