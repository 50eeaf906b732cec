"""`weir run` killed before and after everything that an export or a call commits: the next one ends it, once."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from engine.run import OpState
from engine.stores import open_write_ledger
from tests.support.effort import a_third
from tests.support.exports.small import fill, small_project
from tests.support.mirror.shop import ServedShops, Shop
from tests.support.processes.command import weir
from tests.support.processes.dying import WRITE_POINTS

PEOPLE: Final = [("a", "Ann", "ann@example.com", "gold"), ("b", "Ben", "ben@example.com", "plain")]
KEY: Final = {"STRIPE_SECRET_KEY": "sk_test_weir_sandbox"}
CUT: Final = "an answer does not come"
REPLACEMENT_POINTS: Final = (
    ("ops are planned", 2), ("ops are marked as sent", 1), ("ends are to be recorded", 1), ("ends are recorded", 1),
    ("ops are marked as sent", 2), ("an answer has come", 2), ("ends are recorded", 2), ("answers are stored", 1),
    (CUT, 1),
)  # fmt: skip


@pytest.fixture(scope="module")
def shops() -> Iterator[ServedShops]:
    served = ServedShops()
    yield served
    served.close()


def die_and_go_on(shop: Shop, folder: Path, name: str, point: str, times: int) -> None:
    """A run that is killed there, and one that makes it good."""
    if point == CUT:
        shop.fault(kind="reset", method="POST", applied=True, times=1)
    killed = weir(folder, "run", name, environment=KEY, die=(point, times)).code
    assert killed == -signal.SIGKILL, f"{name}: {point} ({times}) was not reached"
    shop.calm()
    weir(folder, "run", name, environment=KEY).succeeded()
    demand_ledger(folder, shop, point)


def writes(shop: Shop) -> list[dict[str, Any]]:
    """The requests that were to write."""
    return [request for request in shop.requests() if request["method"] != "GET"]


def demand_ledger(folder: Path, shop: Shop, point: str) -> None:
    """All that was sent is in the ledger, nothing is left over, and no answer waits for the mirror."""
    ledger = open_write_ledger(folder / ".weir" / "state.db")
    ops = {op.id: op for op in ledger.ops(1_000)}
    ledger.close()
    over = (OpState.DONE, OpState.DROPPED)
    assert not [op for op in ops.values() if op.state not in over or op.answer is not None], point
    assert {request["idempotency_key"] for request in writes(shop)} <= set(ops), point


def first_people(shop: Shop, folder: Path) -> None:
    fill(folder, "people", PEOPLE)


def people_as_they_are(shop: Shop, folder: Path, point: str) -> None:
    there = sorted((row.obj["metadata"]["code"], row.obj["name"]) for row in shop.rows("customer"))
    assert there == [("a", "Ann"), ("b", "Ben")], point
    with duckdb.connect(str(folder / ".weir" / "staging" / "shop.duckdb"), read_only=True) as connection:
        told = connection.execute("SELECT _status, _entity_id FROM weir.outcomes ORDER BY number").fetchall()
    assert len(told) == 2, point
    assert {status for status, _ in told} <= {"done", "unchanged"}, f"{point}: {told}"
    assert {entity for _, entity in told} == {row.id for row in shop.rows("customer")}, point


def first_credits(shop: Shop, folder: Path) -> None:
    customers = [shop.act("POST", "/v1/customers", {"name": name})["id"] for name in ("Ann", "Ben")]
    fill(folder, "credits", [(f"credit-{name}", name, -100) for name in customers])


def money_moved_once(shop: Shop, folder: Path, point: str) -> None:
    paid = Counter(row.obj["description"] for row in shop.rows("customer_balance_transaction"))
    assert sorted(paid.values()) == [1, 1], f"{point}: {paid}"
    with duckdb.connect(str(folder / ".weir" / "store.duckdb"), read_only=True) as connection:
        given = connection.execute("SELECT id, credit FROM given").fetchall()
    made = {(row.id, row.obj["description"]) for row in shop.rows("customer_balance_transaction")}
    assert set(given) == made, f"{point}: {given}"


@pytest.mark.parametrize("point", a_third(WRITE_POINTS))
@pytest.mark.parametrize(
    ("name", "begin", "demand"),
    [("people", first_people, people_as_they_are), ("credits", first_credits, money_moved_once)],
)
def test_run_killed_where_objects_are_created_next_run_creates_each_once(
    tmp_path: Path,
    shops: ServedShops,
    name: str,
    begin: Callable[[Shop, Path], None],
    demand: Callable[[Shop, Path, str], None],
    point: str,
) -> None:
    shop = shops.open()
    folder = small_project(tmp_path, shop.url)
    begin(shop, folder)
    die_and_go_on(shop, folder, name, point, 1)
    demand(shop, folder, point)


@pytest.mark.parametrize(("point", "times"), a_third(REPLACEMENT_POINTS))
def test_run_killed_where_a_price_is_replaced_next_run_completes_it(
    tmp_path: Path, shops: ServedShops, point: str, times: int
) -> None:
    """A replacement takes two requests: a run that is killed between them leaves the second to the next one."""
    shop = shops.open()
    folder = small_project(tmp_path, shop.url)
    fill(folder, "items", [("basic", "Basic", 100)])
    weir(folder, "run", "prices", environment=KEY).succeeded()
    shop.advance(60)
    fill(folder, "items", [("basic", "Basic", 200)])
    die_and_go_on(shop, folder, "prices", point, times)
    shown = [row.obj for row in shop.rows("price")]
    prices = sorted((price["unit_amount"], price["active"], price["lookup_key"]) for price in shown)
    assert prices == [(100, False, None), (200, True, "basic")], prices
