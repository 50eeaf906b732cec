"""Amounts of money: the decimals of each currency, and the finding for an unknown currency."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

from engine.connectors.stripe.currencies import DECIMALS
from engine.duck import DuckBinder
from engine.duck.boxes.money import make_amount, mentions_amount, unknown_currencies
from engine.graph import BindFailure, Bound, Scope
from engine.relation import INTEGER, TEXT, Column, Relation

CHARGES = Relation((Column("id", TEXT), Column("amount", INTEGER), Column("currency", TEXT)))


@pytest.fixture
def instance() -> duckdb.DuckDBPyConnection:
    found = duckdb.connect()
    make_amount(found, noting=True)
    found.execute("SET enable_external_access = false")
    found.execute("SET lock_configuration = true")
    return found


def amount(instance: duckdb.DuckDBPyConnection, written: str, currency: str | None) -> object:
    row = instance.execute(
        f"SELECT weir.amount(a, c) FROM (VALUES ({written}, $c)) t(a, c)", {"c": currency}
    ).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("currency", "expected"),
    [
        ("usd", "123.00"), ("USD", "123.00"), ("eur", "123.00"), ("huf", "123.00"), ("twd", "123.00"),
        ("isk", "123.00"), ("ugx", "123.00"), ("jpy", "12300"), ("krw", "12300"), ("mga", "12300"), ("pyg", "12300"),
        ("xpf", "12300"), ("bhd", "12.3"), ("jod", "12.3"), ("kwd", "12.3"), ("omr", "12.3"), ("tnd", "12.3"),
    ],
)  # fmt: skip
def test_amount_has_the_decimals_of_its_currency(
    instance: duckdb.DuckDBPyConnection, currency: str, expected: str
) -> None:
    assert amount(instance, "12300", currency) == Decimal(expected)
    assert unknown_currencies(instance) == ()


def test_every_currency_of_the_table_is_known_and_unique(instance: duckdb.DuckDBPyConnection) -> None:
    for currency, decimals in DECIMALS.items():
        assert amount(instance, "1", currency) == Decimal(1).scaleb(-decimals), currency
    assert sorted({len(each) for each in DECIMALS}) == [3]
    assert all(each == each.lower() for each in DECIMALS)


@pytest.mark.parametrize("currency", ["zzz", "", "us", "usdc", "d e", "sd ", " us", "usd eur", "%", "ÜSD"])
def test_amount_in_an_unknown_currency_is_null_and_reported(instance: duckdb.DuckDBPyConnection, currency: str) -> None:
    assert amount(instance, "12300", currency) is None
    assert unknown_currencies(instance) == ((currency.lower(), 1),)


def test_missing_amount_or_currency_is_not_reported(instance: duckdb.DuckDBPyConnection) -> None:
    assert amount(instance, "12300", None) is None
    assert amount(instance, "NULL::BIGINT", "zzz") is None
    assert unknown_currencies(instance) == ()


def test_unknown_currencies_are_counted_over_all_threads(instance: duckdb.DuckDBPyConnection) -> None:
    instance.execute(
        "SELECT max(weir.amount(n, currency)) FROM (SELECT n, CASE n % 10 WHEN 0 THEN 'zzz' WHEN 1 THEN 'yyy' "
        "ELSE 'usd' END AS currency FROM range(50000) t(n)) WHERE n % 20 <> 1"
    ).fetchall()
    assert unknown_currencies(instance) == (("zzz", 5000), ("yyy", 2500))


def test_amounts_are_exact_decimals(instance: duckdb.DuckDBPyConnection) -> None:
    assert amount(instance, "9223372036854775807", "usd") == Decimal("92233720368547758.07")
    assert amount(instance, "0.000000000001::DECIMAL(38, 12)", "usd") == Decimal("0.00000000000001")
    assert amount(instance, "-5", "kwd") == Decimal("-0.005")
    types = instance.sql("SELECT weir.amount(1::BIGINT, 'usd'), sum(weir.amount(1::BIGINT, 'usd'))").types
    assert [str(each) for each in types] == ["DECIMAL(23,3)", "DECIMAL(38,3)"]


def test_binder_knows_type_and_columns_of_an_amount() -> None:
    scope = Scope((("stripe", {"charges": CHARGES}), ("schema", {})))
    binder = DuckBinder()
    bound = binder.bind("SELECT weir.amount(amount, currency) AS amount FROM charges WHERE id = 'ch_1'", scope)
    assert isinstance(bound, Bound)
    assert str(bound.relation.columns[0].type) == "decimal(23,3)"
    assert [set(read.need.columns) for read in bound.reads] == [{"id", "amount", "currency"}]
    transform = binder.bind("SELECT weir.amount(1, 'usd') AS amount", Scope((("schema", {}),)))
    assert isinstance(transform, Bound)
    assert isinstance(binder.bind_expression("weir.amount(amount, currency)", CHARGES), Relation)
    for sql, reason in (
        ("SELECT weir.amount(amount) FROM charges", "type"),
        ("SELECT amount(amount, currency) FROM charges", "function"),
        ("SELECT weir.amount(amount, curency) FROM charges", "column"),
        ("SELECT write_log('x') FROM charges", "not_select"),
        ("SELECT * FROM duckdb_logs", "not_select"),
    ):
        failed = binder.bind(sql, scope)
        assert isinstance(failed, BindFailure), sql
        assert failed.reason in (reason, "table"), sql


@pytest.mark.parametrize("sql", ["SELECT weir.amount(a, c)", 'select "weir" . "AMOUNT" (a, c)', "Weir.Amount(a,c)"])
def test_call_of_amount_in_any_spelling_is_recognised(sql: str) -> None:
    assert mentions_amount(sql)
    assert not mentions_amount("SELECT amount FROM weir.coverage")
