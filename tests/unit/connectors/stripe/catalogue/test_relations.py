"""Columns of staging tables."""

from __future__ import annotations

import pytest

from engine.connectors.stripe.catalogue import (
    COLUMN_TYPES,
    FieldType,
    load_catalogue,
    table_fields,
    table_relation,
)
from engine.relation import Kind

_TYPES = {name: {column.name: str(column.type) for column in table_relation(name)} for name in load_catalogue().tables}


def test_every_field_type_has_a_column_type() -> None:
    assert set(COLUMN_TYPES) == set(FieldType)


@pytest.mark.parametrize("name", sorted(_TYPES))
def test_every_relation_has_its_key_and_the_system_columns(name: str) -> None:
    relation = table_relation(name)
    assert relation.names[0] == "id"
    assert relation.names[-8:] == (
        "_account", "_livemode", "_api_version", "_read_at", "_changed_at", "_source", "_deleted_at", "_extra",
    )  # fmt: skip
    assert len({column.casefold() for column in relation.names}) == len(relation)
    assert "deleted" not in relation.names
    for column in load_catalogue().tables[name].key:
        found = relation.find(column)
        assert found is not None
        assert found.required
        assert found.type.kind is Kind.TEXT


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        ("charges", "amount", "integer"),
        ("charges", "created", "timestamp"),
        ("charges", "customer", "text"),
        ("charges", "metadata", "map"),
        ("charges", "billing_details", "json"),
        ("charges", "paid", "boolean"),
        ("prices", "unit_amount_decimal", "decimal(38,12)"),
        ("prices", "tiers", "json"),
        ("tax_rates", "percentage", "float"),
        ("subscriptions", "items", "json"),
        ("subscriptions", "trial_end", "timestamp"),
        ("subscriptions", "days_until_due", "integer"),
        ("subscription_items", "current_period_end", "timestamp"),
        ("subscription_items", "subscription", "text"),
        ("invoices", "next_payment_attempt", "timestamp"),
        ("invoices", "amount_due", "integer"),
        ("invoice_line_items", "invoice", "text"),
        ("issuing_cards", "exp_month", "integer"),
        ("terminal_readers", "last_seen_at", "integer"),
        ("checkout_session_line_items", "checkout_session", "text"),
        ("customer_sources", "customer", "text"),
        ("v2_core_accounts", "created", "timestamp"),
        ("balance_transactions", "available_on", "timestamp"),
        ("payouts", "arrival_date", "timestamp"),
    ],
)
def test_column_types_follow_the_fields_of_the_catalogue(table: str, column: str, expected: str) -> None:
    assert _TYPES[table][column] == expected


def test_fields_of_a_table_with_several_object_types_are_united() -> None:
    fields = {field.name: field for field in table_fields("customer_sources")}
    assert fields["object"].values == ("account", "bank_account", "card", "source")
    assert fields["brand"].nullable, "only cards have a brand"
    assert fields["customer"].required, "the parent's id is always there"


def test_relation_of_an_unknown_table_raises() -> None:
    with pytest.raises(KeyError):
        table_relation("nothing")
