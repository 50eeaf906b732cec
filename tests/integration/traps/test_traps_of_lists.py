"""The traps of reading lists: 1, 2, 6, 8."""

from __future__ import annotations

import itertools
from datetime import UTC

import pytest

from engine.testing.dying_staging import Crash, Killed
from tests.integration.traps.conftest import Opener


def test_trap_01_rows_created_during_paging_lose_nothing(opened: Opener) -> None:
    pair = opened("customers", config={"concurrency": 1})
    old = pair.make("/v1/customers", 250, per_second=3)
    for page, count in ((2, 3), (3, 2)):
        for _ in range(count):
            pair.shop.hook(path="/v1/customers", page=page, target="/v1/customers", advance=0)
    pair.updated()
    assert set(old) <= set(pair.live("customers"))
    ends = pair.mirrored.query("SELECT lt, as_of FROM weir.coverage WHERE \"table\" = 'customers'")
    assert all(row["lt"] <= row["as_of"].replace(tzinfo=UTC).timestamp() for row in ends), "a claim ends at the ceiling"
    pair.updated()
    pair.demand_truth()
    assert len(pair.live("customers")) == 255


def test_trap_01_rows_of_one_second_are_all_read(opened: Opener) -> None:
    pair = opened("customers", "coupons")
    for _ in range(4):  # The clock stands still: all of it happens in one second.
        pair.make("/v1/customers", 2, per_second=100)
        pair.post("/v1/coupons", percent_off=5)
        pair.shop.advance(-1)
        pair.updated()
        pair.demand_truth()


@pytest.mark.parametrize("gone", [1, 10, 100])
def test_trap_02_deleted_cursor_object_loses_nothing(opened: Opener, gone: int) -> None:
    pair = opened("customers", config={"concurrency": 1})
    made = pair.make("/v1/customers", 250, per_second=4)
    first_page = made[::-1][:100]
    for identifier in first_page[100 - gone :]:
        pair.shop.hook(path="/v1/customers", page=2, method="DELETE", target=f"/v1/customers/{identifier}")
    pair.updated()
    assert any(each["status"] in (400, 404) for each in pair.asked("starting_after")), "the trap was sprung"
    assert set(made) - set(first_page) <= set(pair.live("customers"))
    pair.advance(1)
    pair.updated()
    pair.demand_truth()
    assert len(pair.live("customers")) == 250 - gone


@pytest.mark.parametrize("lines", [1, 10, 11, 101])
def test_trap_06_embedded_lists_are_read_to_their_end(opened: Opener, lines: int) -> None:
    pair = opened("invoices", "invoice_line_items")
    customer = pair.post("/v1/customers")["id"]
    invoice = pair.post("/v1/invoices", customer=customer, currency="usd")["id"]
    items = [
        pair.post("/v1/invoiceitems", customer=customer, invoice=invoice, amount=number, currency="usd")["id"]
        for number in range(lines)
    ]
    pair.updated()
    pair.demand_truth()
    assert len(pair.live("invoice_line_items")) == lines

    pair.advance(400)
    pair.shop.act("DELETE", f"/v1/invoiceitems/{items[-1]}")  # The last line: of many, one beyond the embedded page.
    pair.updated()
    pair.demand_truth()
    assert len(pair.dead("invoice_line_items")) == 1

    pair.advance(400)
    pair.shop.act("DELETE", f"/v1/invoices/{invoice}")
    pair.updated()
    pair.demand_truth()
    assert len(pair.dead("invoice_line_items")) == lines


def test_trap_06_children_of_bystander_parents_are_kept_current(opened: Opener) -> None:
    """This run reads their events, which no later run does: their children must be read now."""
    pair = opened("customers", "invoices", "invoice_line_items")
    customer = pair.post("/v1/customers")["id"]
    invoice = pair.post("/v1/invoices", customer=customer, currency="usd")["id"]
    item = pair.post("/v1/invoiceitems", customer=customer, invoice=invoice, amount=1, currency="usd")["id"]
    pair.advance(400)
    pair.updated()
    pair.advance(400)
    pair.shop.act("DELETE", f"/v1/invoiceitems/{item}")
    for number in range(11):
        pair.post("/v1/invoiceitems", customer=customer, invoice=invoice, amount=number, currency="usd")
    pair.updated(tables=("customers",))
    pair.demand_truth()
    assert (len(pair.live("invoice_line_items")), len(pair.dead("invoice_line_items"))) == (11, 1)
    pair.updated()
    pair.demand_truth()


def test_trap_06_parent_and_children_are_committed_together(opened: Opener) -> None:
    pair = opened("invoices", "invoice_line_items", config={"max_slice_bytes": 20_000, "concurrency": 2})
    customer = pair.post("/v1/customers")["id"]
    for count in (1, 11, 2, 30, 3, 101, 1):
        pair.advance(1)
        invoice = pair.post("/v1/invoices", customer=customer, currency="usd")["id"]
        for number in range(count):
            pair.post("/v1/invoiceitems", customer=customer, invoice=invoice, amount=number, currency="usd")
    for _ in range(110):  # The oldest ones are on their own page.
        pair.post("/v1/invoices", customer=customer, currency="usd")
    dead = 0
    for load in itertools.count():
        try:
            pair.sync(full=True, crash=Crash(load, after=True))
        except Killed:
            dead += 1
        else:
            break
        carried: dict[str, int] = {}
        for line in pair.live("invoice_line_items").values():
            carried[line["invoice"]] = carried.get(line["invoice"], 0) + 1
        truth = pair.shop.truth("invoices")["invoices"]
        assert all(carried.get(name, 0) == truth[name]["lines"]["total_count"] for name in pair.live("invoices"))
    assert dead > 1
    pair.demand_truth()


def test_trap_08_rows_hidden_by_default_filters_are_read(opened: Opener) -> None:
    pair = opened("subscriptions", "subscription_items", "prices")
    customer = pair.post("/v1/customers", payment_method="pm_card_visa")["id"]
    product = pair.post("/v1/products", name="plan")["id"]
    price = pair.post("/v1/prices", product=product, currency="usd", unit_amount=5, recurring__interval="month")["id"]
    hidden = pair.post("/v1/prices", product=product, currency="usd", unit_amount=6, active="false")["id"]
    ended, running = (
        pair.post("/v1/subscriptions", **{"customer": customer, "items[0][price]": price})["id"] for _ in range(2)
    )
    pair.shop.act("DELETE", f"/v1/subscriptions/{ended}")
    pair.updated()
    pair.demand_truth()
    assert pair.live("subscriptions")[ended]["status"] == "canceled"
    assert set(pair.live("prices")) == {price, hidden}

    pair.advance(400)
    pair.shop.act("DELETE", f"/v1/subscriptions/{running}")
    pair.post(f"/v1/prices/{price}", active="false")
    pair.post(f"/v1/prices/{hidden}", active="true")
    pair.updated()
    pair.demand_truth("subscription_items")  # An item shows its price as of the time when the subscription was read.
    pair.updated(full=True)
    pair.demand_truth()
