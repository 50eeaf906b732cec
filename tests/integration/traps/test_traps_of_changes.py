"""The traps of following changes: 3, 4, 5, 7, 10, 15."""

from __future__ import annotations

import pytest

from engine.connectors.stripe import CONNECTOR
from engine.testing.dying_staging import Crash, Killed
from tests.integration.traps.conftest import Opener, Pair
from tests.support.mirror.mirrored import permissions_for

DAY = 86_400


def customers(opened: Opener, count: int, **options: object) -> tuple[Pair, list[str]]:
    """A pair with this many customers, synchronized a while ago."""
    pair = opened("customers", **options)
    made = pair.make("/v1/customers", count)
    pair.advance(1000)
    pair.updated()
    pair.advance(1000)
    return pair, made


def test_trap_03_updates_reach_the_mirror(opened: Opener) -> None:
    pair, made = customers(opened, 5)
    pair.post(f"/v1/customers/{made[0]}", name="first")
    pair.advance(1)
    pair.post(f"/v1/customers/{made[0]}", name="second")
    pair.post(f"/v1/customers/{made[1]}", email="a@example.com")
    pair.updated()
    pair.demand_truth()
    assert pair.live("customers")[made[0]]["name"] == "second"


def test_trap_03_events_of_another_api_version_are_applied(opened: Opener) -> None:
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


def test_trap_03_late_event_is_applied(opened: Opener) -> None:
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


def test_trap_03_very_late_event_is_applied(opened: Opener) -> None:
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


def test_trap_03_very_late_event_is_applied_with_a_stopped_clock(opened: Opener) -> None:
    """As on a machine after sleep: by its clock, no hour has started."""
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


def test_trap_03_last_of_several_events_in_one_second_wins(opened: Opener) -> None:
    pair, made = customers(opened, 1)
    for name in ("one", "two", "three"):
        pair.post(f"/v1/customers/{made[0]}", name=name)
    pair.updated()
    assert pair.live("customers")[made[0]]["name"] == "three"
    pair.post(f"/v1/customers/{made[0]}", name="four")
    pair.updated()
    assert pair.live("customers")[made[0]]["name"] == "four"


def test_trap_03_failed_refetch_does_not_lose_the_change(opened: Opener) -> None:
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


def test_trap_04_changes_of_expired_events_are_found(opened: Opener) -> None:
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


def test_trap_04_gap_that_the_local_clock_does_not_show_is_found(opened: Opener) -> None:
    """The clock stood still: by the provider's clock, the events are older than those it lists."""
    pair, made = customers(opened, 3)
    pair.post(f"/v1/customers/{made[0]}", name="long ago")
    pair.shop.act("DELETE", f"/v1/customers/{made[1]}")
    pair.mirrored.skew = -40 * DAY
    pair.advance(40 * DAY)
    pair.updated()
    pair.demand_truth()
    assert pair.dead("customers") == {made[1]}
    assert len(pair.mirrored.query("SELECT * FROM weir.gaps")) == 1


def test_trap_04_change_during_the_first_run_is_found(opened: Opener) -> None:
    """The event cursor is set before a first read starts, however long the read takes."""
    pair = opened("customers", config={"concurrency": 1})
    made = pair.make("/v1/customers", 150)
    newest = made[-1]  # On the first page, which has been read when the hook runs.
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


def test_trap_05_edits_without_events_are_found_in_time(opened: Opener) -> None:
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


def test_trap_05_event_object_older_than_a_silent_edit_is_not_used(opened: Opener) -> None:
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


def test_trap_07_deleted_objects_get_a_tombstone(opened: Opener) -> None:
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
    pair.post("/v1/coupons", id="SPRING", percent_off=20)  # The same ID exists again, as another coupon.
    pair.shop.act("DELETE", f"/v1/customers/{silent}", silent=True)
    pair.updated(full=True)
    pair.demand_truth()
    assert pair.dead("customers") == {customer, silent}
    assert pair.dead("coupons") == set()
    assert pair.live("coupons")["SPRING"]["percent_off"] == 20


@pytest.mark.parametrize("lost", ["customers", "events"])
def test_trap_07_lost_permission_is_no_mass_delete(opened: Opener, lost: str) -> None:
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


def test_trap_07_clock_that_goes_back_hides_no_delete(opened: Opener) -> None:
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


def test_trap_07_object_deleted_between_two_tries_gets_a_tombstone(opened: Opener) -> None:
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
def test_trap_07_interrupted_full_read_deletes_no_existing_row(opened: Opener, load: int) -> None:
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


def test_trap_10_event_is_applied_by_the_type_of_its_object(opened: Opener) -> None:
    pair = opened("charges", "refunds", "invoices")
    charge = pair.post("/v1/charges", amount=500, currency="usd", source="tok_visa")["id"]
    refund = pair.post("/v1/refunds", charge=charge, amount=100)["id"]
    pair.advance(1000)
    pair.updated()
    pair.advance(1000)
    pair.post(f"/v1/refunds/{refund}", metadata__note="seen")  # `charge.refund.updated` carries a refund
    pair.shop.write_event("invoice.upcoming", {"object": "invoice", "amount_due": 5, "created": pair.shop.now})
    pair.updated()
    pair.demand_truth()
    assert set(pair.live("charges")) == {charge}
    assert pair.live("refunds")[refund]["metadata"] == {"note": "seen"}
    assert pair.live("invoices") == {}


def test_trap_15_pending_balance_transactions_are_read_until_settled(opened: Opener) -> None:
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

    pair.advance(12 * 3600)  # Before any table is due for a complete read.
    pair.post(f"/v1/invoices/{invoice}/pay")
    pair.updated()
    pair.demand_truth()
    assert pair.live("invoices")[invoice]["status"] == "paid"

    pair.advance(3 * DAY)
    pair.updated()
    pair.demand_truth()
    assert {row["status"] for row in pair.live("balance_transactions").values()} == {"available"}
