"""The effect on writes when a file of the state is lost, as in the table of `docs/architecture.md`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.exports.exported import Exported, define
from tests.support.exports.small import COLUMNS, INTERFACES
from tests.support.mirror.shop import ServedShops

Open = Callable[[str], Exported]
ANN, BEN = ("a", "Ann", None, None), ("b", "Ben", None, None)


@pytest.fixture(scope="module")
def served() -> Iterator[ServedShops]:
    shops = ServedShops()
    yield shops
    shops.close()


@pytest.fixture
def opened(tmp_path: Path, served: ServedShops) -> Open:
    """A new shop, and a project with one interface that writes to it."""

    def make(name: str) -> Exported:
        definitions = define(tmp_path / "project", served.url, INTERFACES[name], COLUMNS)
        return Exported(tmp_path / "state", definitions, served.open())

    return make


def run_later(exported: Exported) -> None:
    """A successful run some seconds after the previous one."""
    exported.shop.advance(5)
    assert exported.run().status == "succeeded"


def lose(exported: Exported, name: str) -> None:
    """Delete the file of the state and SQLite's files beside it."""
    for file in exported.folder.glob(f"{name}*"):
        file.unlink()
    assert not (exported.folder / name).exists()


def customers(exported: Exported) -> list[str]:
    return sorted(row.obj["name"] for row in exported.shop.rows("customer"))


def credits_of(exported: Exported) -> list[str]:
    return [row.obj["description"] for row in exported.shop.rows("customer_balance_transaction")]


def test_lost_ledger_makes_calls_again(opened: Open) -> None:
    exported = opened("credits")
    ann = exported.shop.act("POST", "/v1/customers", {"name": "Ann"})["id"]
    exported.fill({"credits": [("one", ann, -100)]})
    run_later(exported)
    run_later(exported)
    assert credits_of(exported) == ["one"]
    lose(exported, "state.db")
    run_later(exported)
    assert credits_of(exported) == ["one", "one"]


def test_lost_ledger_finds_objects_by_match(opened: Open) -> None:
    exported = opened("people")
    exported.fill({"people": [ANN, BEN]})
    run_later(exported)
    lose(exported, "state.db")
    run_later(exported)
    assert customers(exported) == ["Ann", "Ben"]


@pytest.mark.parametrize(("lost", "left"), [("", ["Ann"]), ("state.db", ["Ann", "Ben"])])
def test_lost_ledger_keeps_objects_of_removed_rows(opened: Open, lost: str, left: list[str]) -> None:
    exported = opened("people")
    exported.fill({"people": [ANN, BEN]})
    run_later(exported)
    if lost:
        lose(exported, lost)
    exported.fill({"people": [ANN]})
    run_later(exported)
    assert customers(exported) == left


def test_lost_mirror_writes_nothing_twice(opened: Open) -> None:
    exported = opened("people")
    exported.fill({"people": [ANN, BEN]})
    run_later(exported)
    lose(exported, "staging/shop.duckdb")
    run_later(exported)
    assert customers(exported) == ["Ann", "Ben"]
    assert len(exported.ops()) == 2
