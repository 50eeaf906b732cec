"""The seeded business is deterministic and consistent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from engine.sandbox.options import ANCHOR, DAY, EVENT_RETENTION
from engine.sandbox.reading.truth import ground_truth
from engine.sandbox.state.store import Store
from tests.support.sandbox.client import Client

DIGEST = """
import hashlib, time
from engine.sandbox.options import SandboxOptions
from engine.sandbox.serving.sandbox import Sandbox
world = Sandbox(SandboxOptions(customers=25, frozen=True), time.monotonic).world
store, hash = world.store(world.platform), hashlib.sha256()
for name, table in store.tables():
    for _, _, row in table.order:
        hash.update(world.renderer.body(store, name, row))
print(hash.hexdigest())
"""


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(customers=120)


@pytest.fixture(scope="module")
def store(client: Client) -> Store:
    return client.sandbox.world.store(client.sandbox.world.platform)


def objects(store: Store, resource: str) -> Iterator[dict[str, Any]]:
    for row in store.table(resource).rows.values():
        yield dict(row.obj)


@pytest.mark.process
def test_equal_seeds_produce_equal_bytes_in_every_process() -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]


def test_another_seed_differs_and_a_larger_business_starts_with_the_same_customers() -> None:
    small, big, other = Client(customers=10), Client(customers=20), Client(customers=10, seed=2)

    def emails(client: Client) -> set[str]:
        return {each["email"] for each in client.everything("/v1/customers")}

    assert emails(small) < emails(big)
    assert not emails(small) & emails(other)


def test_invoices_are_the_sum_of_their_lines(store: Store) -> None:
    for invoice in objects(store, "invoice"):
        lines = [row.obj for row in store.table("line_item").children(invoice["id"])]
        off = sum(part["amount"] for line in lines for part in line["discount_amounts"])
        tax = sum(part["amount"] for line in lines for part in line["taxes"])
        assert invoice["subtotal"] == sum(line["amount"] for line in lines)
        assert invoice["total_excluding_tax"] == invoice["subtotal"] - off
        assert invoice["total"] == invoice["total_excluding_tax"] + tax
        assert (
            invoice["amount_due"] == invoice["amount_paid"] + invoice["amount_remaining"] or invoice["status"] == "void"
        )
        assert sum(part["amount"] for part in invoice["total_taxes"]) == tax
        assert sum(part["amount"] for part in invoice["total_discount_amounts"]) == off
        for line in lines:
            assert line["currency"] == invoice["currency"]
            price = ((line["pricing"] or {}).get("price_details") or {}).get("price")
            unit = store.table("price").rows[price].obj["unit_amount"] if price else None
            if unit is not None and line["amount"]:
                assert line["amount"] == unit * line["quantity"]


def test_paid_invoices_have_charges_of_the_same_amount(store: Store) -> None:
    paid = [each for each in objects(store, "invoice") if each["status"] == "paid" and each["amount_paid"]]
    assert len(paid) > 300
    for invoice in paid:
        payments = [row.obj for row in store.find_all("invoice_payment", "invoice", invoice["id"])]
        assert [each["amount_paid"] for each in payments] == [invoice["amount_paid"]]
        intent = store.table("payment_intent").rows[payments[0]["payment"]["payment_intent"]].obj
        charge = store.table("charge").rows[intent["latest_charge"]].obj
        assert charge["amount_captured"] == intent["amount_received"] == invoice["amount_paid"]
        assert (charge["customer"], charge["currency"]) == (invoice["customer"], invoice["currency"])


def test_charges_refunds_disputes_and_payouts_have_balance_transactions(store: Store) -> None:
    moves = {each["id"]: each for each in objects(store, "balance_transaction")}
    for move in moves.values():
        assert move["net"] == move["amount"] - move["fee"]
        assert sum(part["amount"] for part in move["fee_details"]) == move["fee"]
        assert (move["status"] == "available") == (move["available_on"] <= ANCHOR)
    for charge in objects(store, "charge"):
        assert (charge["balance_transaction"] is not None) == charge["captured"]
        if charge["captured"]:
            assert moves[charge["balance_transaction"]]["amount"] == charge["amount_captured"]
        back = [row.obj["amount"] for row in store.find_all("refund", "charge", charge["id"])]
        assert sum(back) == charge["amount_refunded"]
        assert charge["refunded"] == (charge["amount_refunded"] == charge["amount"])
        assert charge["disputed"] == bool(store.find_all("dispute", "charge", charge["id"]))
    for refund in objects(store, "refund"):
        assert moves[refund["balance_transaction"]]["amount"] == -refund["amount"]
    for payout in objects(store, "payout"):
        move = moves[payout["balance_transaction"]]
        assert move["amount"] == -payout["amount"]
        covered = [row for row in store.table("balance_transaction").rows.values()
                   if (row.extra or {}).get("payout") == payout["id"] and row.obj["type"] != "payout"]  # fmt: skip
        assert sum(row.obj["net"] for row in covered) == payout["amount"]


def test_balance_is_the_sum_of_its_transactions(client: Client, store: Store) -> None:
    balance = client.get("/v1/balance")
    for status in ("available", "pending"):
        for part in balance[status]:
            assert part["amount"] == sum(
                each["net"] for each in objects(store, "balance_transaction")
                if each["status"] == status and each["currency"] == part["currency"]
            )  # fmt: skip
    assert {part["currency"] for part in balance["available"]} == {"usd", "eur", "gbp", "jpy"}


def test_subscriptions_have_current_periods_and_one_currency(store: Store) -> None:
    for subscription in objects(store, "subscription"):
        items = [row.obj for row in store.table("subscription_item").children(subscription["id"])]
        assert items
        for item in items:
            price = store.table("price").rows[item["price"]].obj
            assert price["currency"] == subscription["currency"]
            if subscription["status"] in ("active", "trialing", "past_due"):
                assert item["current_period_start"] <= ANCHOR < item["current_period_end"]
        latest = store.table("invoice").rows[subscription["latest_invoice"]].obj
        assert latest["customer"] == subscription["customer"]


def test_every_scenario_is_present(store: Store) -> None:
    subscriptions = list(objects(store, "subscription"))
    assert {"active", "trialing", "past_due", "canceled"} <= {each["status"] for each in subscriptions}
    assert any(each["cancel_at_period_end"] for each in subscriptions)
    lines = [len(store.table("line_item").children(each["id"])) for each in objects(store, "invoice")]
    assert 101 in lines or max(lines) > 100
    assert sum(10 < count < 20 for count in lines) >= 4
    assert {"paid", "open", "draft", "void", "uncollectible"} == {each["status"] for each in objects(store, "invoice")}
    assert {"usd", "eur", "gbp", "jpy"} == {each["currency"] for each in objects(store, "charge")}
    assert {"succeeded", "failed"} == {each["status"] for each in objects(store, "charge")}
    assert {"won", "lost", "needs_response"} == {each["status"] for each in objects(store, "dispute")}
    assert any(0 < each["amount_refunded"] < each["amount"] for each in objects(store, "charge"))
    assert any(each["tiers_mode"] == "graduated" for each in objects(store, "price"))
    assert any(not each["active"] for each in objects(store, "price"))
    assert list(objects(store, "credit_note"))
    assert store.table("customer").gone


def test_no_object_is_in_the_future_and_events_are_of_the_last_month(client: Client, store: Store) -> None:
    for name, table in store.tables():
        for row in table.rows.values():
            assert row.created <= ANCHOR, name
    for event in client.everything("/v1/events"):
        assert ANCHOR - EVENT_RETENTION < event["created"] <= ANCHOR


def test_every_reference_resolves(client: Client, store: Store) -> None:
    catalogue = client.sandbox.catalogue
    gone = {identifier for _, table in store.tables() for identifier in table.gone}
    for name, table in store.tables():
        fields = [each for each in catalogue.resources[name].fields if each.type == "reference"]
        for row in table.rows.values():
            for field in fields:
                value = row.obj.get(field.name)
                if value and not client.sandbox.world.knows(value):
                    found = any(store.find(each, value) for each in field.targets)
                    assert found or value in gone, (name, field.name)


def test_recurring_revenue_equals_the_sum_of_subscriptions(store: Store) -> None:
    monthly = 0
    for subscription in objects(store, "subscription"):
        if subscription["status"] not in ("active", "past_due") or subscription["currency"] != "usd":
            continue
        for item in store.table("subscription_item").children(subscription["id"]):
            price = store.table("price").rows[item.obj["price"]].obj
            if price["unit_amount"] is not None:
                share = 12 if price["recurring"]["interval"] == "year" else 1
                monthly += price["unit_amount"] * item.obj["quantity"] // share
    assert monthly > 100_000


def test_connected_accounts_have_their_own_business() -> None:
    client = Client(customers=5, accounts=2)
    accounts = [each["id"] for each in client.everything("/v1/accounts")]
    assert len(accounts) == 2
    own = {each["id"] for each in client.everything("/v1/customers")}
    seen = [
        {each["id"] for each in client.get("/v1/customers", [("limit", "100")], stripe_account=account)["data"]}
        for account in accounts
    ]
    assert seen[0]
    assert seen[1]
    assert not (own & seen[0] | own & seen[1] | seen[0] & seen[1])


def test_the_ground_truth_equals_the_lists(client: Client) -> None:
    told = ground_truth(client.sandbox.world, {"charges", "customers", "subscriptions", "prices"})[
        client.sandbox.world.platform
    ]
    for table, params in {"charges": [], "customers": [], "subscriptions": [("status", "all")]}.items():
        listed = client.everything(f"/v1/{table}", params)
        assert {each["id"] for each in listed} == set(told[table]["ids"])
        assert told[table]["count"] == len(listed)
        assert told[table]["sums"]["created"] == sum(each["created"] for each in listed)
    assert told["customers"]["deleted"]


def test_due_balance_becomes_available_and_payouts_arrive() -> None:
    client = Client(customers=60)
    store = client.sandbox.world.store(client.sandbox.world.platform)
    pending = [each["id"] for each in objects(store, "balance_transaction") if each["status"] == "pending"]
    assert pending
    events = len(client.events())
    client.advance(5 * DAY)
    assert {client.get(f"/v1/balance_transactions/{each}")["status"] for each in pending} == {"available"}
    assert not [each for each in client.events(ANCHOR) if each.startswith("balance")]
    assert events > len(client.events())


def test_due_subscriptions_renew_and_end() -> None:
    client = Client(customers=60)
    running = client.everything("/v1/subscriptions")
    leaving = {each["id"]: each["cancel_at"] for each in running if each["cancel_at_period_end"]}
    trials = {each["id"] for each in running if each["status"] == "trialing"}
    seen = {each["id"] for each in client.everything("/v1/invoices")}
    client.advance(40 * DAY)
    after = {each["id"]: each for each in client.everything("/v1/subscriptions", [("status", "all")])}
    new = [each for each in client.everything("/v1/invoices") if each["id"] not in seen]
    assert {each["billing_reason"] for each in new} == {"subscription_cycle"}
    assert len(new) >= len(
        [
            each
            for each in running
            if each["id"] not in leaving and each["items"]["data"][0]["plan"]["interval"] == "month"
        ]
    )
    assert all(ANCHOR < each["created"] <= client.now for each in new)
    assert leaving
    assert {after[each]["ended_at"] for each in leaving} == set(leaving.values())
    assert trials
    assert not [each for each in trials if after[each]["status"] == "trialing"]
    for subscription in after.values():
        for item in subscription["items"]["data"]:
            if subscription["status"] != "canceled":
                assert item["current_period_start"] <= client.now < item["current_period_end"]
    assert "customer.subscription.deleted" in client.events(ANCHOR)
    again = Client(customers=60)
    for _ in range(40):
        again.advance(DAY)
        again.get("/v1/customers", [("limit", "1")])
    assert len(again.everything("/v1/invoices")) == len(seen) + len(new)
