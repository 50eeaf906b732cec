"""What somebody has changed between a plan and its run is not overwritten: the run is refused, and says which field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.app.errors import Exit
from tests.support.exports.small import fill, small_project
from tests.support.mirror.shop import ServedShops, Shop
from tests.support.processes.command import Done, weir

KEY = {"STRIPE_SECRET_KEY": "sk_test_weir_sandbox"}
ANN, BEN = ("a", "Ann", "ann@example.com", "gold"), ("b", "Ben", "ben@example.com", "plain")


@pytest.fixture
def shop() -> Iterator[Shop]:
    served = ServedShops()
    yield served.open()
    served.close()


@pytest.fixture
def folder(tmp_path: Path, shop: Shop) -> Path:
    """A project whose people are there, and are to change: names, addresses and tiers of both."""
    made = small_project(tmp_path / "project", shop.url)
    fill(made, "people", [ANN, BEN])
    weir(made, "run", "people", environment=KEY).succeeded()
    shop.advance(60)
    fill(made, "people", [("a", "Anna", "anna@example.com", "silver"), ("b", "Bert", "ben@example.com", "gold")])
    weir(made, "plan", "people", "--live", "--out", "plan.json", environment=KEY)
    shop.forget_requests()
    return made


def customer(shop: Shop, code: str) -> str:
    return next(row.id for row in shop.rows("customer") if row.obj["metadata"].get("code") == code)


def run_plan(folder: Path) -> Done:
    return weir(folder, "run", "--plan", "plan.json", environment=KEY)


def demand_refused(shop: Shop, done: Done, *said: str) -> None:
    """Exit code 5, each sentence is there, and not one request has written anything."""
    text = " ".join((done.out + done.err).split())
    assert done.code == Exit.BUSY == 5, text
    assert "nothing was written" in text
    for sentence in said:
        assert sentence in text, text
    assert not [request["path"] for request in shop.requests() if request["method"] != "GET"]


def test_an_edit_of_a_planned_field_is_refused_and_named(folder: Path, shop: Shop) -> None:
    shop.act("POST", f"/v1/customers/{customer(shop, 'a')}", {"name": "Annie", "metadata[tier]": "lead"})
    shop.advance(5)
    demand_refused(
        shop,
        run_plan(folder),
        'a: `name` changed at the provider from "Ann" to "Annie"',
        'a: `metadata[tier]` changed at the provider from "gold" to "lead"',
    )
    assert shop.act("GET", f"/v1/customers/{customer(shop, 'a')}")["name"] == "Annie"
    weir(folder, "plan", "people", "--live", "--out", "plan.json", environment=KEY)
    run_plan(folder).succeeded()
    assert sorted(row.obj["name"] for row in shop.rows("customer")) == ["Anna", "Bert"]


def test_a_field_that_was_to_stay_and_was_edited_is_named(folder: Path, shop: Shop) -> None:
    shop.act("POST", f"/v1/customers/{customer(shop, 'b')}", {"email": "other@example.com"})
    shop.advance(5)
    demand_refused(shop, run_plan(folder), 'b: `email` was not planned to change, and would become "ben@example.com"')


def test_a_field_that_somebody_else_has_set_already_is_named(folder: Path, shop: Shop) -> None:
    shop.act("POST", f"/v1/customers/{customer(shop, 'a')}", {"name": "Anna"})
    shop.advance(5)
    demand_refused(shop, run_plan(folder), "a: `name` no longer changes")


def test_an_object_that_is_gone_is_named(folder: Path, shop: Shop) -> None:
    shop.act("DELETE", f"/v1/customers/{customer(shop, 'b')}")
    shop.advance(5)
    demand_refused(shop, run_plan(folder), "b: the planned update is no longer needed, or changed")


def test_an_edit_of_what_is_not_written_is_nobodys_business(folder: Path, shop: Shop) -> None:
    shop.act("POST", f"/v1/customers/{customer(shop, 'a')}", {"metadata[note]": "called today"})
    shop.advance(5)
    run_plan(folder).succeeded()
    found = shop.act("GET", f"/v1/customers/{customer(shop, 'a')}")
    assert (found["name"], found["metadata"]) == ("Anna", {"code": "a", "tier": "silver", "note": "called today"})
