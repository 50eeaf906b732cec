"""The traps of object contents, tables and accounts: 9, 11, 12, 13, 14."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from engine.connector import Need
from engine.connectors.stripe import CONNECTOR
from engine.diagnostics import Place
from engine.duck import DuckBinder, DuckBoxRunner, fetch_rows
from engine.graph import Bound, Box, Scope
from engine.run import BoxLimits
from tests.integration.traps.conftest import Opener
from tests.support.mirror.mirrored import permissions_for

CURRENCIES = ("usd", "jpy", "isk", "ugx", "mga", "kwd", "zzz")
"""Two decimals, none, two that are always 00 (twice), none at Stripe only, three, and an unknown currency."""


COVERAGE = 'SELECT complete FROM weir.coverage WHERE "table" = ?'


def test_trap_09_absent_is_not_null(opened: Opener) -> None:
    pair = opened("prices")
    product = pair.post("/v1/products", name="plan")["id"]
    tiers = {"tiers[0][up_to]": 10, "tiers[0][unit_amount]": 5, "tiers[1][up_to]": "inf", "tiers[1][unit_amount]": 3}
    made = pair.post(
        "/v1/prices", product=product, currency="usd", billing_scheme="tiered", tiers_mode="graduated",
        recurring__interval="month", **tiers,
    )["id"]  # fmt: skip
    pair.advance(1000)
    pair.updated(needs=[Need("prices", ("id", "tiers"))])
    loaded = pair.live("prices")[made]["tiers"]
    assert loaded is not None
    pair.advance(1000)
    pair.post(f"/v1/prices/{made}", nickname="later")
    for full in (False, True):  # Neither events nor lists include tiers unless expanded.
        pair.updated(needs=[Need("prices", ("id", "nickname"))], full=full)
        assert pair.live("prices")[made]["nickname"] == "later"
        assert pair.live("prices")[made]["tiers"] == loaded


def test_trap_11_money_stays_in_minor_units(opened: Opener) -> None:
    pair = opened("charges", "prices")
    product = pair.post("/v1/products", name="plan")["id"]
    made = {}
    for currency in CURRENCIES:
        made[currency] = pair.post("/v1/charges", amount=12_300, currency=currency, source="tok_visa")["id"]
        pair.post("/v1/prices", product=product, currency=currency, unit_amount_decimal="0.000000000001")
    exact = pair.post("/v1/prices", product=product, currency="usd", unit_amount_decimal="12345678901.123456789012")
    pair.updated()
    pair.demand_truth()
    rows = pair.live("charges")
    assert {currency: rows[made[currency]]["amount"] for currency in CURRENCIES} == dict.fromkeys(CURRENCIES, 12_300)
    assert {row["currency"] for row in rows.values()} == set(CURRENCIES)
    assert pair.live("prices")[exact["id"]]["unit_amount_decimal"] == Decimal("12345678901.123456789012")


def test_trap_11_amounts_are_numbers_of_their_currency(opened: Opener, tmp_path: Path) -> None:
    pair = opened("charges")
    for currency in CURRENCIES:
        pair.post("/v1/charges", amount=12_300, currency=currency, source="tok_visa")
    pair.updated()
    catalogue = CONNECTOR.catalogue(None)
    sql = "SELECT currency, weir.amount(amount, currency) AS amount FROM charges"
    with closing(DuckBinder()) as binder:
        tables = {name: table.relation for name, table in catalogue.tables.items()}
        bound = binder.bind(sql, Scope((("shop", tables), ("schema", {}))))
    assert isinstance(bound, Bound)
    runner = DuckBoxRunner({"shop": pair.mirrored.path}, {"shop": catalogue}, tmp_path / "store.duckdb", {})
    box = Box(sql, Place(""), ("shop", "schema"), bound)
    result = runner.run(box, tmp_path / "result.duckdb", BoxLimits(256 << 20, 20, 1, 256 << 20))
    assert dict(fetch_rows(result, 100)) == {
        "usd": Decimal(123), "jpy": Decimal(12_300), "isk": Decimal(123), "ugx": Decimal(123), "mga": Decimal(12_300),
        "kwd": Decimal("12.3"), "zzz": None,
    }  # fmt: skip
    assert result.unknown == (("zzz", 1),)


def test_trap_12_references_are_ids_in_every_form(opened: Opener) -> None:
    pair = opened("charges")
    customer = pair.post("/v1/customers", email="a@example.com")
    forms = (customer["id"], customer, {"id": customer["id"], "object": "customer", "deleted": True}, None)
    made = []
    for form in forms:
        made.append(pair.post("/v1/charges", amount=500, currency="usd", source="tok_visa")["id"])
        pair.shop.twist("charge", made[-1], customer=form)
    pair.updated()
    rows = pair.live("charges")
    assert [rows[each]["customer"] for each in made] == [customer["id"]] * 3 + [None]
    assert all(row["_extra"] is None for row in rows.values())


def test_trap_13_table_without_permission_fails_alone(opened: Opener) -> None:
    pair = opened("charges", "customers", "coupons")
    made = pair.make("/v1/customers", 2)
    pair.shop.allow("rk_test_less", permissions_for(["customers", "coupons", "events"]))
    pair.mirrored.use_key("rk_test_less")
    run = pair.sync()
    failed = [outcome for outcome in run.outcomes if outcome.status == "failed"]
    assert [outcome.id for outcome in failed] == ["shop:charges"]
    assert failed[0].failure is not None
    assert failed[0].failure.permission == "rak_charge_read"
    assert "rak_charge_read" in (failed[0].hint or "")
    assert set(pair.live("customers")) == set(made)


@pytest.mark.parametrize("status", [400, 403, 404])
def test_trap_13_refused_table_fails_alone(opened: Opener, status: int) -> None:
    pair = opened("charges", "customers")
    charge = pair.post("/v1/charges", amount=500, currency="usd", source="tok_visa")["id"]
    pair.updated()
    made = pair.make("/v1/customers", 2)
    pair.shop.fault(kind="error", path="/v1/charges*", status=status)
    run = pair.sync(full=True)
    assert [outcome.id for outcome in run.outcomes if outcome.status == "failed"] == ["shop:charges"]
    assert set(pair.live("customers")) == set(made)
    assert set(pair.live("charges")) == {charge}


@pytest.mark.parametrize("status", [400, 403, 404])
def test_trap_13_refused_optional_table_does_not_fail_the_run(opened: Opener, status: int) -> None:
    pair = opened("charges", "customers")
    pair.mirrored.optional = ("charges",)
    charge = pair.post("/v1/charges", amount=500, currency="usd", source="tok_visa")["id"]
    pair.updated()
    made = pair.make("/v1/customers", 2)
    pair.shop.fault(kind="error", path="/v1/charges*", status=status)
    run = pair.sync(full=True)
    assert run.status == "succeeded"
    (refused,) = (outcome for outcome in run.outcomes if outcome.failure is not None)
    assert (refused.id, refused.message) == ("shop:charges", "not read: it is optional")
    (warning,) = refused.warnings
    assert warning.startswith("`charges` could not be read, and is optional: ")
    assert warning.endswith(" (W602)")
    assert set(pair.live("customers")) == set(made)
    assert set(pair.live("charges")) == {charge}, "what was there stays"
    assert not any(each["complete"] for each in pair.mirrored.query(COVERAGE, ["charges"])), "and is not called current"
    pair.shop.calm()


def test_trap_13_changes_of_a_skipped_table_are_read_by_the_next_run(opened: Opener) -> None:
    pair = opened("customers", "products")
    made = pair.make("/v1/customers", 2)
    pair.advance(1000)
    pair.updated()
    pair.advance(1000)
    pair.post(f"/v1/customers/{made[0]}", name="meanwhile")
    pair.shop.act("DELETE", f"/v1/customers/{made[1]}")
    pair.post("/v1/products", name="goes on")
    pair.shop.fault(kind="error", path="/v1/customers*", status=500)
    run = pair.sync()
    assert [outcome.id for outcome in run.outcomes if outcome.status == "failed"] == ["shop:customers"]
    pair.shop.calm()
    pair.demand_truth("customers")
    pair.advance(1000)
    pair.updated()
    pair.demand_truth()


def test_trap_13_optional_table_that_was_never_read_is_empty(opened: Opener) -> None:
    pair = opened("charges", "customers", "invoices", "invoice_line_items")
    pair.mirrored.optional = ("charges", "invoices")
    made = pair.make("/v1/customers", 2)
    pair.shop.allow("rk_test_less", permissions_for(["customers", "events"]))
    pair.mirrored.use_key("rk_test_less")
    run = pair.sync()
    assert run.status == "succeeded"
    refused = {outcome.id: outcome.warnings for outcome in run.outcomes if outcome.failure is not None}
    assert set(refused) == {"shop:charges", "shop:invoices", "shop:invoice_line_items"}, "the lines with their invoices"
    assert "rak_charge_read" in refused["shop:charges"][-1]
    assert set(pair.live("customers")) == set(made)
    assert pair.mirrored.query(COVERAGE, ["charges"]) == []
    pair.mirrored.optional = ()
    failed = {outcome.id for outcome in pair.sync().outcomes if outcome.status == "failed"}
    assert failed == {"shop:charges", "shop:invoices", "shop:invoice_line_items"}


def test_trap_13_error_other_than_a_refusal_fails_an_optional_table(opened: Opener) -> None:
    pair = opened("charges", "customers")
    pair.mirrored.optional = ("charges",)
    pair.shop.fault(kind="error", path="/v1/charges*", status=500)
    failed = [outcome.id for outcome in pair.sync().outcomes if outcome.status == "failed"]
    assert "shop:charges" in failed


def test_trap_13_table_that_became_empty_is_a_warning(opened: Opener) -> None:
    pair = opened("coupons")
    made = [pair.post("/v1/coupons", percent_off=5)["id"] for _ in range(2)]
    pair.updated()
    for each in made:
        pair.shop.act("DELETE", f"/v1/coupons/{each}", silent=True)
    run = pair.updated(full=True)
    assert run.outcomes[0].warnings == ("no rows in `coupons`, where an earlier run read 2",)


def test_trap_14_rows_of_another_mode_are_refused(opened: Opener) -> None:
    pair = opened("charges", "customers")
    charge = pair.post("/v1/charges", amount=500, currency="usd", source="tok_visa")["id"]
    pair.make("/v1/customers", 1)
    pair.shop.twist("charge", charge, livemode=True)
    run = pair.sync()
    (failed,) = (outcome for outcome in run.outcomes if outcome.status == "failed")
    assert failed.id == "shop:charges"
    assert "live mode objects arrived" in (failed.message or "")
    assert pair.live("charges") == {}
    assert len(pair.live("customers")) == 1


def test_trap_14_rows_of_another_account_are_refused(opened: Opener) -> None:
    pair = opened("customers")
    made = pair.make("/v1/customers", 2)
    pair.updated()
    other = pair.shop.connect_account()
    pair.shop.allow("sk_test_of_another", None, account=other)
    pair.mirrored.use_key("sk_test_of_another")
    run = pair.sync(full=True)
    assert [outcome.code for outcome in run.outcomes] == ["E612"]
    assert set(pair.live("customers")) == set(made)


def test_trap_14_coverage_of_one_account_does_not_count_for_another(opened: Opener) -> None:
    """Also for tables without events, which would show how far an account was read."""
    pair = opened("balance_transactions")
    accounts = tuple(pair.shop.connect_account() for _ in range(2))
    charge = {"amount": 100, "currency": "usd", "source": "tok_visa"}
    for account in accounts:
        pair.shop.act("POST", "/v1/charges", charge, account=account)
    pair.advance(1000)
    for known in (accounts[:1], accounts):
        pair.mirrored.accounts = known
        pair.updated()
        there = [len(pair.mirrored.live("balance_transactions", account)) for account in accounts]
        assert there == [1 if account in known else 0 for account in accounts]


def test_trap_14_every_row_has_its_account(opened: Opener) -> None:
    pair = opened("customers")
    names = tuple(pair.shop.connect_account() for _ in range(2))
    made = {name: pair.shop.act("POST", "/v1/customers", account=name)["id"] for name in names}
    pair.make("/v1/customers", 1)
    pair.mirrored.accounts = names
    pair.updated()
    rows = pair.mirrored.query("SELECT id, _account, _livemode FROM customers")
    assert {row["_account"]: row["id"] for row in rows} == made
    assert {row["_livemode"] for row in rows} == {False}
