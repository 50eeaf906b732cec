"""`weir catalog --writes` shows the entities, functions and parameters that mappings are checked against."""

from __future__ import annotations

import pytest

from engine.app.authoring.writable import describe_entity, describe_function, is_function, list_writable
from engine.app.errors import RefusalError
from engine.cli.writable import render_entity, render_function, render_writable, summary_line
from engine.connector import Effect, Parameter, find_parameter
from engine.connector.installed import installed_connectors
from engine.report.plans.write_text import EFFECTS


def by_path(found: dict[str, object]) -> dict[str, dict[str, object]]:
    parameters = found["parameters"]
    assert isinstance(parameters, list)
    return {each["path"]: each for each in parameters}


def test_every_entity_and_function_has_a_page_in_the_catalog() -> None:
    found = list_writable("stripe")
    targets = installed_connectors()["stripe"].catalogue(None).targets
    assert targets is not None
    assert [each["name"] for each in found["entities"]] == list(targets.entities())
    assert [each["name"] for each in found["functions"]] == list(targets.functions())
    text = render_writable(found, None)
    for entity in found["entities"]:
        assert f"\n{entity['name']} " in f"\n{text}"
        page = render_entity(describe_entity("stripe", entity["name"]), coloured=False)
        assert page.startswith(f"{entity['name']}\n")
    for function in found["functions"]:
        assert f"\n{function['name']} " in text
        described = describe_function("stripe", function["name"])
        assert EFFECTS[Effect(function["effect"])] in render_function(described, coloured=False)


def test_every_listed_path_resolves_to_its_parameter() -> None:
    targets = installed_connectors()["stripe"].catalogue(None).targets
    assert targets is not None
    for name in ("customers", "prices", "subscriptions", "payment_links"):
        entity = targets.entity(name)
        assert entity is not None
        verbs = {"made": (entity.create,), "changed": (entity.update,), "both": (entity.create, entity.update)}
        for path, facts in by_path(describe_entity("stripe", name)).items():
            for verb in verbs[str(facts["taken"])]:
                assert verb is not None
                assert isinstance(find_parameter(verb.parameters, path), Parameter), path


def test_entity_description_gives_the_facts_of_each_parameter() -> None:
    prices = by_path(describe_entity("stripe", "prices"))
    assert prices["currency"] == {
        "path": "currency",
        "type": "text",
        "money": False,
        "required": "always",
        "values": [],
        "clears": False,
        "longest": None,
        "taken": "made",
        "compared": True,
    }
    assert prices["unit_amount"]["money"] is True
    assert prices["recurring[interval]"]["values"] == ["day", "month", "week", "year"]
    assert prices["recurring[interval]"]["required"] == "recurring"
    assert prices["metadata[KEY]"]["taken"] == "both"
    assert prices["metadata[KEY]"]["longest"] == 500
    customers = describe_entity("stripe", "customers", "PAYMENT_METHOD")
    assert by_path(customers)["payment_method"]["compared"] is False
    assert all("payment_method" in path for path in by_path(customers))
    assert customers["on_missing"] == ["delete"]


def test_entity_page_lists_all_values_of_an_enum() -> None:
    text = render_entity(describe_entity("stripe", "prices"), coloured=False)
    assert "archive  POST /v1/prices/{price} active=false  changes data" in text
    (line,) = [line for line in text.splitlines() if line.startswith("tax_behavior ")]
    assert line.split() == [
        "tax_behavior",
        "enum",
        "made,",
        "changed",
        "yes",
        "exclusive,",
        "inclusive,",
        "unspecified",
    ]


def test_function_page_shows_that_id_names_the_object() -> None:
    found = describe_function("stripe", "invoices.finalize")
    assert [each["path"] for each in found["parameters"]] == ["id", "auto_advance"]
    assert found["effect"] == "money"
    assert found["returns"] == "invoices"
    text = render_function(found, coloured=False)
    assert "acts on    the object that `id` names" in text
    assert "id" not in by_path(describe_function("stripe", "refunds.create"))


def test_list_writable_with_a_search_returns_only_matches() -> None:
    found = list_writable("stripe", "Refund")
    assert {each["name"] for each in found["entities"]} >= {"refunds"}
    assert all("refund" in each["name"] for rows in found.values() for each in rows)
    only = list_writable("stripe", "invoices.finalize")
    assert render_writable(only, None).startswith("function ")
    assert summary_line(only).startswith("0 entities, 1 function;")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("invoices.finalise", "has no function `invoices.finalise`", "`invoices.finalize`"),
        ("nothing.like_it_at_all", "has no function", "`weir catalog --writes`"),
        ("stripe_main.customers", "has no function", "`weir catalog customers` shows the table"),
        ("customer", "has no entity `customer`", "`customers`"),
        ("balance_transactions", "can be read, and no export can write", "`weir catalog --writes`"),
    ],
)
def test_unknown_entity_or_function_is_refused_with_a_hint(name: str, message: str, hint: str) -> None:
    describe = describe_function if is_function("stripe", name) else describe_entity
    with pytest.raises(RefusalError, match=message) as refused:
        describe("stripe", name)
    assert refused.value.hint is not None
    assert hint in refused.value.hint
