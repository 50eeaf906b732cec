"""The traps of keeping up with changes: 3, 4, 5, 7, 10, 15."""

from __future__ import annotations

import pytest

from engine.connectors.stripe import CONNECTOR
from tests.integration.traps.conftest import Opener, Pair
from tests.support.mirror.mirrored import Crash, Killed, permissions_for

DAY = 86_400


def customers(opened: Opener, count: int, **options: object) -> tuple[Pair, list[str]]:
    """A mirror of so many customers that was made a while ago."""
    pair = opened("customers", **options)
    made = pair.make("/v1/customers", count)
    pair.advance(1000)
    pair.updated()
    pair.advance(1000)
    return pair, made


def test_trap_03_updates_are_seen(opened: Opener) -> None:
    pair, made = customers(opened, 5)
    pair.post(f"/v1/customers/{made[0]}", name="first")
    pair.advance(1)
    pair.post(f"/v1/customers/{made[0]}", name="second")
    pair.post(f"/v1/customers/{made[1]}", email="a@example.com")
    pair.updated()
    pair.demand_truth()
    assert pair.live("customers")[made[0]]["name"] == "second"


def test_trap_03_events_are_rendered_at_another_version(opened: Opener) -> None:
    pair = opened("subscriptions", "subscription_items", "invoices", event_api_version="2024-06-20")
    customer = pair.post("/v1/customers", payment_method="pm_card_visa")["id"]
    product = pair.post("/v1/products", name="plan")["id"]
    price = pair.post("/v1/prices", product=product, currency="usd", unit_amount=5, recurring__interval="month")["id"]
    made = pair.post("/v1/subscriptions", **{"customer": customer, "items[0][price]": price})["id"]
    pair.advance(1000)
    pair.updated()
    pair.advance(1000)
    pair.post(f"/v1/subscriptions/{made}", metadata__seen="yes")
    pair.advance(40)
    pair.post(f"/v1/invoices/{pair.live('subscriptions')[made]['latest_invoice']}", description="seen")
    pair.updated()
    pair.demand_truth()
    assert pair.live("subscriptions")[made]["metadata"] == {"seen": "yes"}


def test_trap_03_an_event_that_comes_late(opened: Opener) -> None:
    pair, made = customers(opened, 2)
    pair.shop.configure(event_delay=250)
    pair.post(f"/v1/customers/{made[0]}", name="earlier")
    pair.post(f"/v1/customers/{made[1]}", name="late")
    pair.advance(1)
    pair.shop.configure(event_delay=0)
    pair.post(f"/v1/customers/{made[0]}", name="later")
    pair.advance(1)
    pair.updated()
    assert pair.live("customers")[made[0]]["name"] == "later"
    pair.advance(250)
    pair.updated()
    pair.demand_truth()
    assert [pair.live("customers")[each]["name"] for each in made] == ["later", "late"]


def test_trap_03_an_event_that_comes_very_late(opened: Opener) -> None:
    pair, made = customers(opened, 2)
    pair.updated()
    pair.shop.configure(event_delay=3_500)
    pair.post(f"/v1/customers/{made[0]}", name="late")
    pair.shop.configure(event_delay=0)
    for seconds in (1_000, 2_501, 3_600):
        pair.advance(seconds)
        pair.updated()
    pair.demand_truth()
    pair.advance(3_600)
    pair.shop.forget_requests()
    pair.updated()
    assert not pair.asked(made[0]), "it is applied once"


def test_trap_03_an_event_that_comes_very_late_while_the_clock_stands_still(opened: Opener) -> None:
    """As on a machine that was asleep: by its clock, no hour has begun."""
    pair, made = customers(opened, 2)
    pair.updated()
    pair.shop.configure(event_delay=3_500)
    pair.shop.act("DELETE", f"/v1/customers/{made[0]}")
    pair.shop.configure(event_delay=0)
    pair.advance(1_000)
    pair.updated()
    pair.mirrored.skew = -7_200
    pair.advance(7_200)
    pair.updated()
    pair.advance(3_600)
    pair.updated()
    pair.demand_truth()
    assert pair.dead("customers") == {made[0]}


def test_trap_03_two_events_in_one_second(opened: Opener) -> None:
    pair, made = customers(opened, 1)
    for name in ("one", "two", "three"):
        pair.post(f"/v1/customers/{made[0]}", name=name)
    pair.updated()
    assert pair.live("customers")[made[0]]["name"] == "three"
    pair.post(f"/v1/customers/{made[0]}", name="four")
    pair.updated()
    assert pair.live("customers")[made[0]]["name"] == "four"


def test_trap_03_a_failed_refetch_does_not_lose_the_change(opened: Opener) -> None:
    pair, made = customers(opened, 3, event_api_version="2024-06-20")
    pair.post(f"/v1/customers/{made[0]}", name="changed")
    pair.shop.act("DELETE", f"/v1/customers/{made[1]}")
    pair.shop.fault(kind="error", path="/v1/customers*", status=500)
    assert pair.sync().status == "failed"
    pair.shop.calm()
    pair.advance(2 * DAY)
    pair.updated()
    pair.demand_truth()
    assert pair.live("customers")[made[0]]["name"] == "changed"
    assert pair.dead("customers") == {made[1]}


def test_trap_04_events_that_are_not_listed_any_more(opened: Opener) -> None:
    pair, made = customers(opened, 6)
    pair.post(f"/v1/customers/{made[0]}", name="long ago")
    pair.shop.act("DELETE", f"/v1/customers/{made[1]}")
    pair.advance(40 * DAY)
    pair.post(f"/v1/customers/{made[2]}", name="now")
    pair.updated()
    pair.demand_truth()
    assert pair.live("customers")[made[0]]["name"] == "long ago"
    assert pair.dead("customers") == {made[1]}
    pair.updated()
    pair.demand_truth()


def test_trap_04_a_gap_that_this_machine_s_clock_does_not_show(opened: Opener) -> None:
    """It stood still: by the provider's clock, events are older than what is listed."""
    pair, made = customers(opened, 3)
    pair.post(f"/v1/customers/{made[0]}", name="long ago")
    pair.shop.act("DELETE", f"/v1/customers/{made[1]}")
    pair.mirrored.skew = -40 * DAY
    pair.advance(40 * DAY)
    pair.updated()
    pair.demand_truth()
    assert pair.dead("customers") == {made[1]}
    assert len(pair.mirrored.query("SELECT * FROM weir.gaps")) == 1


def test_trap_04_a_change_during_the_first_run(opened: Opener) -> None:
    """The cursor of events is stamped before a first read begins, however long that takes."""
    pair = opened("customers", config={"concurrency": 1})
    made = pair.make("/v1/customers", 150)
    newest = made[-1]  # on the first page, which is read when the hook strikes
    pair.shop.hook(path="/v1/customers", page=2, target=f"/v1/customers/{newest}", params={"name": "meanwhile"})
    pair.shop.hook(path="/v1/customers", page=2, method="DELETE", target=f"/v1/customers/{made[-2]}", advance=1)
    pair.shop.hook(path="/v1/customers", page=2, target=f"/v1/customers/{made[0]}", params={"name": "x"}, advance=1000)
    pair.advance(1)
    pair.updated()
    assert pair.live("customers")[newest]["name"] is None, "the trap was sprung"
    pair.advance(2000)
    pair.updated()
    pair.demand_truth()
    assert pair.live("customers")[newest]["name"] == "meanwhile"
    assert pair.dead("customers") == {made[-2]}


def test_trap_05_edits_that_no_event_tells_of(opened: Opener) -> None:
    pair = opened("payment_intents")
    made = pair.post("/v1/payment_intents", amount=100, currency="usd")["id"]
    pair.advance(1000)
    pair.updated()
    pair.advance(1000)
    pair.post(f"/v1/payment_intents/{made}", amount=200)
    pair.updated()
    assert CONNECTOR.freshness("payment_intents", {}).seen.endswith("edits without one within 24 h")
    pair.advance(DAY)
    pair.updated()
    pair.demand_truth()
    assert pair.live("payment_intents")[made]["amount"] == 200


def test_trap_05_what_an_event_carries_is_older_than_a_silent_edit(opened: Opener) -> None:
    pair = opened("payment_intents")
    made = pair.post("/v1/payment_intents", amount=100, currency="usd")["id"]
    pair.advance(1000)
    pair.updated()
    pair.advance(1000)
    pair.post(f"/v1/payment_intents/{made}/confirm", payment_method="pm_card_visa")
    pair.advance(1)
    pair.post(f"/v1/payment_intents/{made}", description="after the event")
    pair.updated()
    pair.demand_truth()
    assert pair.live("payment_intents")[made]["description"] == "after the event"


def test_trap_07_deletes(opened: Opener) -> None:
    pair = opened("customers", "products", "coupons", "invoice_items")
    customer, product = pair.post("/v1/customers")["id"], pair.post("/v1/products", name="thing")["id"]
    silent = pair.post("/v1/customers")["id"]
    coupon = pair.post("/v1/coupons", id="SPRING", percent_off=10)["id"]
    item = pair.post("/v1/invoiceitems", customer=pair.post("/v1/customers")["id"], amount=7, currency="usd")["id"]
    paths = (f"customers/{customer}", f"products/{product}", f"coupons/{coupon}", f"invoiceitems/{item}")
    pair.advance(1000)
    pair.updated()
    pair.advance(1000)
    for path in paths:
        pair.shop.act("DELETE", f"/v1/{path}")
    pair.updated()
    pair.demand_truth()
    assert pair.dead("customers") == {customer}
    pair.advance(1000)
    pair.post("/v1/coupons", id="SPRING", percent_off=20)  # the same id lives again, as another coupon
    pair.shop.act("DELETE", f"/v1/customers/{silent}", silent=True)
    pair.updated(full=True)
    pair.demand_truth()
    assert pair.dead("customers") == {customer, silent}
    assert pair.dead("coupons") == set()
    assert pair.live("coupons")["SPRING"]["percent_off"] == 20


@pytest.mark.parametrize("lost", ["customers", "events"])
def test_trap_07_a_lost_permission_is_no_mass_delete(opened: Opener, lost: str) -> None:
    pair = opened("customers", "coupons")
    made = pair.make("/v1/customers", 3)
    pair.post("/v1/coupons", percent_off=10)
    pair.advance(1000)
    pair.updated()
    for _ in range(2):
        pair.advance(2 * DAY)
        pair.post(f"/v1/customers/{made[0]}", name="meanwhile")
        pair.shop.allow("rk_test_less", permissions_for(["customers", "coupons", "events"]) - permissions_for([lost]))
        pair.mirrored.use_key("rk_test_less")
        run = pair.sync()
        assert (run.status == "failed") == (lost == "customers")
        assert set(pair.live("customers")) == set(made)
        assert not pair.dead("customers")
    pair.demand_truth(*([lost] if lost == "customers" else []))
    pair.mirrored.use_key("sk_test_weir_sandbox")
    pair.updated()
    pair.demand_truth()


def test_trap_07_a_clock_that_goes_back_hides_no_delete(opened: Opener) -> None:
    pair = opened("invoices", "invoice_line_items", "customers")
    customer, silent = pair.make("/v1/customers", 2)
    invoice = pair.post("/v1/invoices", customer=customer, currency="usd")["id"]
    item = pair.post("/v1/invoiceitems", customer=customer, invoice=invoice, amount=7, currency="usd")["id"]
    pair.advance(1000)
    pair.updated()
    pair.mirrored.skew = -5 * DAY
    pair.shop.act("DELETE", f"/v1/invoiceitems/{item}")
    pair.shop.act("DELETE", f"/v1/customers/{silent}", silent=True)
    pair.advance(1000)
    pair.updated()
    assert pair.live("invoice_line_items") == {}
    pair.updated(full=True)
    pair.demand_truth()


def test_trap_07_gone_between_two_tries_of_one_run(opened: Opener) -> None:
    pair = opened("customers", "products", config={"max_slice_bytes": 1, "concurrency": 1})
    made = pair.make("/v1/customers", 3)
    pair.shop.hook(path="/v1/customers", page=2, method="DELETE", target=f"/v1/customers/{made[0]}")
    pair.shop.fault(kind="error", path="/v1/products", status=500)
    pair.advance(1000)
    run = pair.sync()
    assert [outcome.id for outcome in run.outcomes if outcome.status == "failed"] == ["shop:products"]
    assert len(pair.asked("/v1/customers")) == 2, "the trap was sprung"
    pair.demand_truth("products")


@pytest.mark.parametrize("load", range(5))
def test_trap_07_a_full_read_that_ends_half_way(opened: Opener, load: int) -> None:
    pair = opened("customers", "invoices", "invoice_line_items", config={"max_slice_bytes": 1, "concurrency": 1})
    made = pair.make("/v1/customers", 2)
    invoice = pair.post("/v1/invoices", customer=made[0], currency="usd")["id"]
    items = [
        pair.post("/v1/invoiceitems", customer=made[0], invoice=invoice, amount=7 + number, currency="usd")["id"]
        for number in range(3)
    ]
    pair.advance(1000)
    pair.updated()
    pair.advance(1000)
    pair.shop.act("DELETE", f"/v1/invoiceitems/{items[0]}")
    pair.post(f"/v1/customers/{made[0]}", name="changed")
    pair.shop.act("DELETE", f"/v1/customers/{made[1]}")
    with pytest.raises(Killed):
        pair.sync(full=True, crash=Crash(load // 2, after=bool(load % 2)))
    pair.advance(1000)
    pair.updated()
    pair.demand_truth()


def test_trap_10_the_object_says_what_it_is(opened: Opener) -> None:
    pair = opened("charges", "refunds", "invoices")
    charge = pair.post("/v1/charges", amount=500, currency="usd", source="tok_visa")["id"]
    refund = pair.post("/v1/refunds", charge=charge, amount=100)["id"]
    pair.advance(1000)
    pair.updated()
    pair.advance(1000)
    pair.post(f"/v1/refunds/{refund}", metadata__note="seen")  # `charge.refund.updated` carries a refund
    pair.shop.tell("invoice.upcoming", {"object": "invoice", "amount_due": 5, "created": pair.shop.now})
    pair.updated()
    pair.demand_truth()
    assert set(pair.live("charges")) == {charge}
    assert pair.live("refunds")[refund]["metadata"] == {"note": "seen"}
    assert pair.live("invoices") == {}


def test_trap_15_balance_transactions_settle_later(opened: Opener) -> None:
    pair = opened("balance_transactions", "invoices", "charges")
    pair.post("/v1/charges", amount=500, currency="usd", source="tok_visa")
    customer = pair.post("/v1/customers", payment_method="pm_card_visa")["id"]
    invoice = pair.post("/v1/invoices", customer=customer, currency="usd")["id"]
    pair.post("/v1/invoiceitems", customer=customer, invoice=invoice, amount=70, currency="usd")
    pair.advance(1000)
    pair.updated()
    (moved,) = pair.live("balance_transactions").values()
    assert moved["status"] == "pending"
    assert pair.live("invoices")[invoice]["status"] == "draft"

    pair.advance(12 * 3600)  # before any table is due to be read whole
    pair.post(f"/v1/invoices/{invoice}/pay")
    pair.updated()
    pair.demand_truth()
    assert pair.live("invoices")[invoice]["status"] == "paid"

    pair.advance(3 * DAY)
    pair.updated()
    pair.demand_truth()
    assert {row["status"] for row in pair.live("balance_transactions").values()} == {"available"}
