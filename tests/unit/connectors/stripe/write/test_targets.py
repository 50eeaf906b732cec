"""The entities and functions of the catalogue that can be written to Stripe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.connector import RETIREMENTS, Effect, Parameter, ParameterKind, Shown, find_parameter
from engine.connectors.stripe.catalogue import load_catalogue
from engine.connectors.stripe.write import StripeTargets, find_entity, find_function, named_writes
from engine.connectors.stripe.write.answers import spool_answers
from engine.connectors.stripe.write.functions import is_amount

TARGETS = StripeTargets()
VERSION = load_catalogue().api_version


def parameter(function: str, path: str) -> Parameter:
    found = find_function(function)
    assert found is not None
    made = find_parameter(found.verb.parameters, path)
    assert isinstance(made, Parameter), made
    return made


def test_every_listed_entity_and_function_is_found() -> None:
    assert list(TARGETS.entities()) == sorted(set(TARGETS.entities()))
    assert list(TARGETS.functions()) == sorted(set(TARGETS.functions()))
    for name in TARGETS.functions():
        function = TARGETS.function(name)
        assert function is not None
        assert function.name == function.verb.name == name
        assert function.returns is None or function.returns in load_catalogue().tables
    assert TARGETS.entity("nowhere") is TARGETS.function("nowhere.create") is None


@pytest.mark.parametrize("name", TARGETS.entities())
def test_every_entity_has_consistent_verbs(name: str) -> None:
    entity = TARGETS.entity(name)
    assert entity is not None
    verbs = [each for each in (entity.create, entity.update, *entity.retire.values()) if each is not None]
    assert verbs
    assert all(TARGETS.function(verb.name) is not None for verb in verbs)
    assert set(entity.retire) <= set(RETIREMENTS)
    assert entity.create is None or not entity.create.of_object
    assert all(verb.of_object for verb in verbs if verb is not entity.create)
    taken = {each.name for each in entity.create.parameters} if entity.create is not None else set()
    kept = {each.name for each in entity.update.parameters} if entity.update is not None else set()
    assert entity.immutable == taken - kept
    acting = [entity.update, *entity.retire.values()]
    assert not any(named_writes()[verb.name].above for verb in acting if verb is not None), "an id is all it needs"
    assert set(entity.lanes) <= {column.column for column in entity.shown.values()}
    for verb in entity.retire.values():
        assert not set(verb.fixed) & {each.name for each in verb.parameters}, "what is fixed cannot be given"


def test_well_known_entities_have_their_properties() -> None:
    products, prices, customers = find_entity("products"), find_entity("prices"), find_entity("customers")
    assert products is not None
    assert prices is not None
    assert customers is not None
    assert (products.own_id, prices.own_id, customers.own_id) == (True, False, False)
    assert prices.handover == ("transfer_lookup_key", "lookup_key")
    assert {"currency", "product", "recurring"} <= prices.immutable
    assert not {"nickname", "lookup_key", "metadata"} & prices.immutable
    assert dict(prices.retire["archive"].fixed) == {"active": "false"}
    assert (prices.retire["archive"].effect, customers.retire["delete"].effect) == (Effect.DATA, Effect.FINAL)
    assert customers.see("address[city]") == Shown("address", ("city",))
    assert customers.see("metadata[a]") == Shown("metadata", ("a",))
    assert customers.see("source") is None
    assert prices.see("tiers[0][up_to]") is None, "a position in a list is nothing to compare"
    subscriptions, invoices = find_entity("subscriptions"), find_entity("invoices")
    assert subscriptions is not None
    assert invoices is not None
    assert subscriptions.lanes == invoices.lanes == ("customer",)
    assert set(subscriptions.retire) == {"cancel"}
    assert set(invoices.retire) == {"delete", "void"}


@pytest.mark.parametrize(
    ("name", "request_line", "effect", "of_object", "returns"),
    [
        ("invoices.finalize", "POST /v1/invoices/{invoice}/finalize", Effect.MONEY, True, "invoices"),
        ("subscriptions.cancel", "DELETE /v1/subscriptions/{subscription_exposed_id}", Effect.FINAL, True,
         "subscriptions"),
        ("refunds.create", "POST /v1/refunds", Effect.MONEY, False, "refunds"),
        ("customers.delete_discount", "DELETE /v1/customers/{customer}/discount", Effect.FINAL, True, None),
    ],
)  # fmt: skip
def test_function_has_request_effect_and_result(
    name: str, request_line: str, effect: Effect, of_object: bool, returns: str | None
) -> None:
    found = find_function(name)
    assert found is not None
    verb = found.verb
    assert (verb.request, verb.effect, verb.of_object, found.returns) == (request_line, effect, of_object, returns)


def test_parameters_have_kind_units_and_requirements() -> None:
    key = parameter("customers.create", "metadata[a]")
    assert (key.kind, key.clears, key.longest) == (ParameterKind.TEXT, True, 500)
    assert parameter("prices.create", "unit_amount").money
    assert parameter("refunds.create", "amount").money
    assert not parameter("prices.create", "recurring[interval_count]").money
    assert parameter("prices.create", "currency").required
    assert parameter("prices.create", "recurring[interval]").values == ("day", "month", "week", "year")
    assert parameter("customers.update", "address[city]").clears
    assert not parameter("customers.create", "address[city]").required
    assert not parameter("products.update", "name").clears, "a product must have a name"
    assert parameter("customers.update", "name").clears


def test_currency_parameters_ignore_case() -> None:
    assert parameter("prices.create", "currency").folded
    assert parameter("invoice_items.create", "price_data[currency]").folded
    assert not parameter("customers.create", "name").folded


def test_amount_parameters_are_recognised_with_minor_units() -> None:
    assert [
        is_amount(name) for name in ("amount", "unit_amount", "amount_off", "balance", "application_fee_amount")
    ] == [True] * 5
    assert [is_amount(name) for name in ("quantity", "amounts", "paramount", "balanced", "expires_at")] == [False] * 5
    created = find_function("prices.create")
    assert created is not None
    units = created.minor_units
    assert {units[each] for each in ("usd", "eur", "isk", "ugx")} == {2}
    assert {units[each] for each in ("jpy", "krw", "mga")} == {0}
    assert {units[each] for each in ("bhd", "kwd", "tnd")} == {3}
    assert all(name == name.lower() for name in units)


def answer(kind: str, identifier: str, **more: object) -> bytes:
    return json.dumps({"id": identifier, "object": kind, **more}).encode()


def test_last_response_of_an_object_is_spooled(tmp_path: Path) -> None:
    answers = [
        ("customers.create", answer("customer", "cus_1", name="old")),
        ("customers.create", answer("customer", "cus_2")),
        ("customers.update", answer("customer", "cus_1", name="new")),
        ("customers.delete", answer("customer", "cus_2", deleted=True)),
        ("products.delete", answer("product", "prod_1", deleted=True)),
        ("products.create", answer("product", "prod_1", name="back")),
    ]
    found = spool_answers(answers, tmp_path / "x", VERSION)
    assert {file.table: file.rows for file in found.files} == {"customers": 1, "products": 1}
    assert dict(found.gone) == {"customers": ("cus_2",)}
    assert b"old" not in b"".join(file.path.read_bytes() for file in found.files)


def test_responses_of_no_table_are_not_spooled(tmp_path: Path) -> None:
    answers = [
        ("customers.update_cash_balance", answer("cash_balance", "cus_1")),
        ("customers.create_card", b'{"object":"card"}'),
        ("refunds.create", answer("refund", "re_1")),
    ]
    found = spool_answers(answers, tmp_path / "x", VERSION)
    assert [(file.table, file.rows) for file in found.files] == [("refunds", 1)]
    assert dict(found.gone) == {}
