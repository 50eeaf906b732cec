"""Creates, updates, deletes and other verbs, and their events."""

from __future__ import annotations

from typing import Any

import pytest

from engine.connectors.stripe.catalogue import Param, ParamType, WriteKind
from engine.connectors.stripe.catalogue.load import load_params
from engine.sandbox.options import DAY
from tests.support.sandbox.client import Client
from tests.unit.sandbox.test_shapes import errors


@pytest.fixture
def client() -> Client:
    return Client(customers=0)


def since(client: Client, before: list[str]) -> list[str]:
    return client.events()[len(before) :]


def price(client: Client, amount: int = 2_000, currency: str = "usd", **more: str) -> dict[str, Any]:
    form = {
        "currency": currency,
        "unit_amount": str(amount),
        "product_data[name]": "Plan",
        "recurring[interval]": "month",
    }
    made: dict[str, Any] = client.post("/v1/prices", [*form.items(), *more.items()])
    return made


def customer(client: Client, card: str | None = "pm_card_visa") -> dict[str, Any]:
    form = [("email", "a@mail.example"), ("name", "Ada")]
    if card:
        form += [("payment_method", card), ("invoice_settings[default_payment_method]", card)][:1]
    made: dict[str, Any] = client.post("/v1/customers", form)
    return made


def test_a_customer_is_created_updated_and_deleted_with_events(client: Client) -> None:
    made = client.post(
        "/v1/customers",
        [
            ("name", "Ada"),
            ("email", "ada@mail.example"),
            ("metadata[tier]", "pro"),
            ("metadata[x]", "1"),
            ("address[city]", "Paris"),
        ],
    )
    assert not list(errors(made))
    assert made["metadata"] == {"tier": "pro", "x": "1"}
    assert (made["address"]["city"], made["address"]["line1"]) == ("Paris", None)
    path = f"/v1/customers/{made['id']}"
    changed = client.post(path, [("metadata[x]", ""), ("metadata[y]", "2"), ("phone", "+1555"), ("name", "")])
    assert changed["metadata"] == {"tier": "pro", "y": "2"}
    assert (changed["phone"], changed["name"], changed["email"]) == ("+1555", None, "ada@mail.example")
    assert client.post(path, [("metadata", "")])["metadata"] == {}
    assert client.delete(path) == {"id": made["id"], "object": "customer", "deleted": True}
    assert client.events() == ["customer.created", "customer.updated", "customer.updated", "customer.deleted"]
    assert client.ask("POST", path, [("name", "x")]).status == 404
    assert client.get("/v1/customers")["data"] == []


def test_an_event_has_the_object_and_its_previous_attributes(client: Client) -> None:
    made = client.post("/v1/customers", [("name", "Ada"), ("metadata[a]", "1")], idempotency_key="k1")
    client.post(f"/v1/customers/{made['id']}", [("name", "Bea"), ("metadata[b]", "2")])
    updated, created = client.get("/v1/events")["data"]
    assert created["data"] == {"object": made}
    assert created["request"]["idempotency_key"] == "k1"
    assert created["request"]["id"].startswith("req_")
    assert updated["data"]["previous_attributes"] == {"name": "Ada", "metadata": {"b": None}}
    assert updated["data"]["object"]["name"] == "Bea"
    assert updated["api_version"] == client.sandbox.catalogue.api_version
    assert client.get(f"/v1/events/{updated['id']}") == updated
    client.post(f"/v1/customers/{made['id']}", [("name", "Bea")])
    assert len(client.events()) == 2


def test_events_expire_after_thirty_days(client: Client) -> None:
    client.post("/v1/customers")
    event = client.get("/v1/events")["data"][0]
    client.advance(30 * DAY - 1)
    assert client.get(f"/v1/events/{event['id']}")
    client.advance(2)
    assert client.get("/v1/events")["data"] == []
    assert client.ask("GET", f"/v1/events/{event['id']}").status == 404


def test_events_can_have_another_api_version() -> None:
    client = Client(customers=0, event_api_version="2024-06-20")
    subscription = client.post(
        "/v1/subscriptions", [("customer", customer(client)["id"]), ("items[0][price]", price(client)["id"])]
    )
    event = client.get("/v1/events", [("type", "customer.subscription.created")])["data"][0]
    assert event["api_version"] == "2024-06-20"
    assert "current_period_end" in event["data"]["object"]
    assert "current_period_end" not in subscription


def test_products_prices_and_lookup_keys_are_written(client: Client) -> None:
    first = price(client, lookup_key="gold", nickname="old")
    assert not list(errors(first))
    taken = client.ask(
        "POST",
        "/v1/prices",
        [("currency", "usd"), ("unit_amount", "5"), ("product", first["product"]), ("lookup_key", "gold")],
    )
    assert taken.error["param"] == "lookup_key"
    moved = client.post(
        "/v1/prices",
        [
            ("currency", "usd"),
            ("unit_amount", "5"),
            ("product", first["product"]),
            ("lookup_key", "gold"),
            ("transfer_lookup_key", "true"),
        ],
    )
    assert client.get("/v1/prices", [("lookup_keys[]", "gold")])["data"][0]["id"] == moved["id"]
    assert client.get(f"/v1/prices/{first['id']}")["lookup_key"] is None
    assert client.get(f"/v1/plans/{first['id']}")["amount"] == 2_000
    assert client.post(f"/v1/prices/{first['id']}", [("active", "false")])["active"] is False
    assert client.get(f"/v1/plans/{first['id']}")["active"] is False
    assert client.ask("POST", f"/v1/prices/{first['id']}", [("unit_amount", "1")]).error["code"] == "parameter_unknown"
    assert client.ask("DELETE", f"/v1/products/{first['product']}").status == 400
    own = client.post("/v1/products", [("id", "book"), ("name", "Book")])
    assert own["id"] == "book"
    assert (
        client.ask("POST", "/v1/products", [("id", "book"), ("name", "B")]).error["code"] == "resource_already_exists"
    )
    assert client.delete("/v1/products/book")["deleted"] is True
    assert client.ask("GET", "/v1/products/book").status == 404


def test_a_subscription_is_billed_paid_changed_and_canceled(client: Client) -> None:
    owner, basic = customer(client), price(client)
    before = client.events()
    made = client.post(
        "/v1/subscriptions",
        [
            ("customer", owner["id"]),
            ("items[0][price]", basic["id"]),
            ("items[0][quantity]", "3"),
            ("expand[]", "latest_invoice"),
        ],
    )
    invoice = made["latest_invoice"]
    assert (made["status"], invoice["status"], invoice["amount_paid"]) == ("active", "paid", 6_000)
    assert not list(errors(made))
    kinds = since(client, before)
    once = (
        "customer.subscription.created invoice.created invoice.finalized invoice.paid charge.succeeded "
        "payment_intent.created payment_intent.succeeded invoice_payment.paid"
    )
    for kind in once.split():
        assert kinds.count(kind) == 1, kind
    item = made["items"]["data"][0]
    before = client.events()
    more = client.post(f"/v1/subscription_items/{item['id']}", [("quantity", "5")])
    assert more["quantity"] == 5
    assert since(client, before) == ["customer.subscription.updated"]
    event = client.get("/v1/events", [("limit", "1")])["data"][0]
    assert event["data"]["previous_attributes"]["items"]["data"][0]["quantity"] == 3
    later = client.post(
        f"/v1/subscriptions/{made['id']}", [("cancel_at_period_end", "true"), ("metadata[why]", "test")]
    )
    assert later["cancel_at"] == item["current_period_end"]
    before = client.events()
    ended = client.delete(f"/v1/subscriptions/{made['id']}")
    assert (ended["status"], ended["ended_at"]) == ("canceled", client.now)
    assert since(client, before) == ["customer.subscription.deleted"]
    assert client.get("/v1/subscriptions")["data"] == []
    assert client.get(f"/v1/subscriptions/{made['id']}")["status"] == "canceled"


def test_a_trial_is_free_and_a_declined_card_makes_a_subscription_incomplete(client: Client) -> None:
    basic = price(client)
    trial = client.post(
        "/v1/subscriptions",
        [("customer", customer(client)["id"]), ("items[0][price]", basic["id"]), ("trial_period_days", "7")],
    )
    assert trial["status"] == "trialing"
    assert client.get(f"/v1/invoices/{trial['latest_invoice']}")["total"] == 0
    poor = customer(client, "pm_card_chargeCustomerFail")
    failed = client.post("/v1/subscriptions", [("customer", poor["id"]), ("items[0][price]", basic["id"])])
    assert failed["status"] == "incomplete"
    assert client.get(f"/v1/invoices/{failed['latest_invoice']}")["status"] == "open"
    reply = client.ask("POST", f"/v1/invoices/{failed['latest_invoice']}/pay")
    assert (reply.status, reply.error["type"], reply.error["code"]) == (402, "card_error", "card_declined")
    assert (
        client.post(f"/v1/invoices/{failed['latest_invoice']}/pay", [("payment_method", "pm_card_visa")])["status"]
        == "paid"
    )
    assert client.get(f"/v1/subscriptions/{failed['id']}")["status"] == "active"


def test_a_one_off_invoice_is_drafted_finalized_and_paid(client: Client) -> None:
    owner = customer(client)
    rate = client.post("/v1/tax_rates", [("display_name", "VAT"), ("percentage", "20"), ("inclusive", "false")])
    draft = client.post("/v1/invoices", [("customer", owner["id"]), ("default_tax_rates[]", rate["id"])])
    for amount in (1_000, 500):
        client.post(
            "/v1/invoiceitems",
            [("customer", owner["id"]), ("invoice", draft["id"]), ("amount", str(amount)), ("currency", "usd")],
        )
    path = f"/v1/invoices/{draft['id']}"
    shown = client.get(path)
    assert (shown["subtotal"], shown["total"], len(shown["lines"]["data"])) == (1_500, 1_800, 2)
    assert client.ask("POST", f"{path}/void").status == 400
    done = client.post(f"{path}/finalize")
    assert (done["status"], done["number"][-5:], done["amount_due"]) == ("open", "-0001", 1_800)
    assert client.ask("DELETE", path).error["code"] == "invoice_not_editable"
    paid = client.post(f"{path}/pay")
    assert (paid["status"], paid["amount_remaining"]) == ("paid", 0)
    assert not list(errors(paid))
    note = client.post("/v1/credit_notes", [("invoice", draft["id"]), ("amount", "300"), ("refund_amount", "300")])
    assert not list(errors(note))
    assert client.get(path)["post_payment_credit_notes_amount"] == 300
    assert client.get("/v1/refunds")["data"][0]["amount"] == 300


@pytest.mark.parametrize(("verb", "status"), [("void", "void"), ("mark_uncollectible", "uncollectible")])
def test_an_open_invoice_is_voided_or_uncollectible(client: Client, verb: str, status: str) -> None:
    owner = customer(client)
    client.post("/v1/invoiceitems", [("customer", owner["id"]), ("amount", "900"), ("currency", "usd")])
    form = [
        ("customer", owner["id"]),
        ("collection_method", "send_invoice"),
        ("days_until_due", "5"),
        ("pending_invoice_items_behavior", "include"),
    ]
    draft = client.post("/v1/invoices", form)
    sent = client.post(f"/v1/invoices/{draft['id']}/send")
    assert (sent["status"], sent["due_date"]) == ("open", client.now + 5 * DAY)
    ended = client.post(f"/v1/invoices/{draft['id']}/{verb}")
    assert ended["status"] == status
    assert client.events()[-1] in ("invoice.voided", "invoice.marked_uncollectible")


def test_payments_refunds_disputes_and_payouts_change_the_balance(client: Client) -> None:
    intent = client.post(
        "/v1/payment_intents",
        [
            ("amount", "5000"),
            ("currency", "eur"),
            ("payment_method", "pm_card_visa"),
            ("confirm", "true"),
            ("capture_method", "manual"),
        ],
    )
    assert intent["status"] == "requires_capture"
    captured = client.post(f"/v1/payment_intents/{intent['id']}/capture", [("amount_to_capture", "4000")])
    assert (captured["status"], captured["amount_received"]) == ("succeeded", 4_000)
    charge = client.get(f"/v1/charges/{captured['latest_charge']}")
    assert (charge["captured"], charge["amount_captured"], charge["amount_refunded"]) == (True, 4_000, 1_000)
    assert not list(errors(charge))
    refund = client.post("/v1/refunds", [("charge", charge["id"]), ("amount", "1500"), ("reason", "duplicate")])
    assert not list(errors(refund))
    too_much = client.ask("POST", "/v1/refunds", [("charge", charge["id"]), ("amount", "9999")])
    assert (too_much.status, too_much.error["param"]) == (400, "amount")
    balance = client.get("/v1/balance")["pending"]
    assert balance[0]["amount"] == 4_000 - round(4_000 * 0.029) - 30 - 1_500
    client.advance(4 * DAY)
    assert (
        client.ask("POST", "/v1/payouts", [("amount", "999999"), ("currency", "eur")]).error["code"]
        == "balance_insufficient"
    )
    payout = client.post("/v1/payouts", [("amount", "100"), ("currency", "eur")])
    assert not list(errors(payout))
    client.advance(4 * DAY)
    assert client.get(f"/v1/payouts/{payout['id']}")["status"] == "paid"
    assert client.events()[-1] == "payout.paid"


def test_a_charge_succeeds_or_is_declined(client: Client) -> None:
    made = client.post(
        "/v1/charges", [("amount", "700"), ("currency", "usd"), ("source", "tok_visa"), ("description", "Tea")]
    )
    assert made["paid"]
    assert not list(errors(made))
    reply = client.ask(
        "POST", "/v1/charges", [("amount", "700"), ("currency", "usd"), ("source", "tok_chargeDeclined")]
    )
    assert (reply.status, reply.error["decline_code"]) == (402, "generic_decline")
    failed = client.get(f"/v1/charges/{reply.error['charge']}")
    assert (failed["status"], failed["paid"]) == ("failed", False)
    assert (
        client.ask("POST", "/v1/charges", [("amount", "1"), ("currency", "usd"), ("source", "tok_visa")]).error["code"]
        == "amount_too_small"
    )


def test_writes_that_stripe_has_no_event_for_emit_none(client: Client) -> None:
    intent = client.post("/v1/payment_intents", [("amount", "5000"), ("currency", "eur")])
    item = client.post(
        "/v1/invoiceitems", [("customer", customer(client)["id"]), ("amount", "900"), ("currency", "usd")]
    )
    feature = client.post("/v1/entitlements/features", [("name", "Fast"), ("lookup_key", "fast")])
    before = client.events()
    client.post(f"/v1/payment_intents/{intent['id']}", [("description", "quiet")])
    client.post(f"/v1/invoiceitems/{item['id']}", [("description", "quiet")])
    client.post(f"/v1/entitlements/features/{feature['id']}", [("name", "Faster")])
    client.post(
        "/v1/payment_methods",
        [("type", "card"), ("card[number]", "4242424242424242"), ("card[exp_month]", "1"), ("card[exp_year]", "2030")],
    )
    assert since(client, before) == []


def test_coupons_quotes_tax_ids_balances_and_clocks_are_written(client: Client) -> None:
    owner = customer(client)
    coupon = client.post("/v1/coupons", [("id", "TEN"), ("percent_off", "10"), ("duration", "forever")])
    basic = price(client)
    made = client.post(
        "/v1/subscriptions",
        [
            ("customer", owner["id"]),
            ("items[0][price]", basic["id"]),
            ("discounts[0][coupon]", coupon["id"]),
            ("expand[]", "latest_invoice"),
        ],
    )
    assert made["latest_invoice"]["total"] == 1_800
    assert client.get("/v1/coupons/TEN")["times_redeemed"] == 1
    assert client.delete(f"/v1/subscriptions/{made['id']}/discount")["deleted"] is True
    quote = client.post("/v1/quotes", [("customer", owner["id"]), ("line_items[0][price]", basic["id"])])
    assert not list(errors(quote))
    client.post(f"/v1/quotes/{quote['id']}/finalize")
    accepted = client.post(f"/v1/quotes/{quote['id']}/accept")
    assert client.get(f"/v1/subscriptions/{accepted['subscription']}")["status"] == "active"
    tax = client.post(f"/v1/customers/{owner['id']}/tax_ids", [("type", "eu_vat"), ("value", "DE123456789")])
    assert client.get(f"/v1/customers/{owner['id']}/tax_ids")["data"] == [tax]
    assert client.delete(f"/v1/customers/{owner['id']}/tax_ids/{tax['id']}")["deleted"] is True
    moved = client.post(f"/v1/customers/{owner['id']}/balance_transactions", [("amount", "-500"), ("currency", "usd")])
    assert (moved["ending_balance"], client.get(f"/v1/customers/{owner['id']}")["balance"]) == (-500, -500)
    clock = client.post("/v1/test_helpers/test_clocks", [("frozen_time", "1700000000")])
    timed = client.post("/v1/customers", [("test_clock", clock["id"])])
    assert timed["id"] not in {each["id"] for each in client.get("/v1/customers")["data"]}
    assert client.get("/v1/customers", [("test_clock", clock["id"])])["data"][0]["id"] == timed["id"]


def test_a_connected_account_is_created_updated_and_deleted(client: Client) -> None:
    account = client.post("/v1/accounts", [("type", "custom"), ("country", "DE"), ("email", "a@mail.example")])
    assert not list(errors(account))
    client.post("/v1/customers", [("name", "Elsewhere")], stripe_account=account["id"])
    assert len(client.get("/v1/customers", stripe_account=account["id"])["data"]) == 1
    assert client.get("/v1/customers")["data"] == []
    client.delete(f"/v1/accounts/{account['id']}")
    assert client.ask("GET", "/v1/customers", stripe_account=account["id"]).error["code"] == "account_invalid"


@pytest.mark.parametrize(
    ("path", "params", "param", "code"),
    [
        ("/v1/customers", [("colour", "red"), ("size", "xl")], "colour", "parameter_unknown"),
        ("/v1/customers", [("address[planet]", "Mars")], "address[planet]", "parameter_unknown"),
        ("/v1/customers", [("email", "nobody")], "email", "email_invalid"),
        ("/v1/customers", [("tax_exempt", "often")], "tax_exempt", None),
        ("/v1/customers", [("balance", "much")], "balance", "parameter_invalid_integer"),
        ("/v1/customers", [("metadata[" + "k" * 41 + "]", "v")], "metadata", None),
        ("/v1/customers", [("metadata[k]", "v" * 501)], "metadata[k]", None),
        ("/v1/customers", [(f"metadata[k{n}]", "v") for n in range(51)], "metadata", None),
        ("/v1/prices", [("unit_amount", "5"), ("product", "p")], "currency", "parameter_missing"),
        ("/v1/prices", [("currency", "usd"), ("unit_amount", "5"), ("product", "no")], "product", "resource_missing"),
        ("/v1/products", [("active", "true")], "name", "parameter_missing"),
        ("/v1/products", [("name", "x"), ("active", "1")], "active", "parameter_invalid_boolean"),
        ("/v1/products", [("name", "")], "name", "parameter_invalid_empty"),
        ("/v1/subscriptions", [("customer", "cus_no"), ("items[0][price]", "p")], "customer", "resource_missing"),
        ("/v1/coupons", [("duration", "once")], "percent_off", None),
        ("/v1/refunds", [], "charge", "parameter_missing"),
        ("/v1/charges", [("amount", "500"), ("currency", "usd"), ("source", "tok_no")], "source", "missing"),
    ],
)  # fmt: skip
def test_an_invalid_parameter_is_rejected(
    client: Client, path: str, params: list[tuple[str, str]], param: str, code: str | None
) -> None:
    before = client.events()
    reply = client.ask("POST", path, params)
    assert reply.status == 400, reply.body
    assert (reply.error.get("param"), reply.error.get("code")) == (param, code), reply.body
    assert since(client, before) == []


def sample(param: Param, path: str) -> list[tuple[str, str]]:
    """A valid value with its required fields."""
    if param.type in (ParamType.OBJECT, ParamType.MAP):
        return [pair for each in param.fields if each.required for pair in sample(each, f"{path}[{each.name}]")]
    if param.type is ParamType.LIST:
        return sample(param.item, f"{path}[0]") if param.item else []
    plain = {ParamType.INTEGER: "100", ParamType.NUMBER: "10", ParamType.DECIMAL: "1.5", ParamType.BOOLEAN: "true"}
    return [(path, param.values[0] if param.values else plain.get(param.type, "usd" if path == "currency" else "x_1"))]


@pytest.mark.parametrize("full", [False, True])
def test_every_write_of_the_catalogue_responds_without_a_defect(client: Client, full: bool) -> None:
    done = 0
    for write in client.sandbox.catalogue.writes:
        path = "/".join("x_1" if part.startswith("{") else part for part in write.path.split("/"))
        params = load_params()[write.key] if full else ()
        form = [pair for each in params if each.required for pair in sample(each, each.name)]
        reply = client.ask(write.method.upper(), path, form)
        assert reply.status < 500, (write.key, reply.body)
        if write.kind in (WriteKind.UPDATE, WriteKind.DELETE):
            assert reply.status in (400, 404), (write.key, reply.body)
        done += reply.status == 200
    assert done >= (50 if full else 15)


def test_an_unsupported_write_is_rejected(client: Client) -> None:
    reply = client.ask("POST", "/v1/billing/meter_events", [("event_name", "x"), ("payload[a]", "b")])
    assert reply.status in (200, 400)
    reply = client.ask("POST", "/v1/invoices/create_preview", [("customer", customer(client)["id"])])
    assert (reply.status, reply.error["code"]) == (400, "sandbox_unsupported")


def test_a_dispute_is_updated_and_closed() -> None:
    client = Client(customers=30)
    dispute = next(each for each in client.everything("/v1/disputes") if each["status"] == "needs_response")
    answered = client.post(f"/v1/disputes/{dispute['id']}", [("evidence[customer_name]", "Ada"), ("submit", "true")])
    assert (answered["status"], answered["evidence"]["customer_name"]) == ("under_review", "Ada")
    closed = client.post(f"/v1/disputes/{dispute['id']}/close")
    assert closed["status"] == "lost"
    assert not list(errors(closed))
    assert client.events()[-2:] == ["charge.dispute.updated", "charge.dispute.closed"]
