"""The next run settles the open writes of an earlier one: single histories."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.run import OpState
from tests.support.exports.exported import Exported, define
from tests.support.exports.life import Crash, Life
from tests.support.exports.small import COLUMNS, INTERFACES
from tests.support.mirror.shop import ServedShops

Open = Callable[[str], Exported]
HOUR = 3_600
ANSWERED = Crash("ledger.staged", 1, after=False)
"""The responses are in the ledger and in staging."""
NOTED = Crash("ledger.end_ops", 1, after=True)
"""The responses are in the ledger and not in staging."""
UNHEARD = Crash("ledger.end_ops", 1, after=False)
"""The provider has responded, and the ledger only records that the write was sent."""


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


def settle(exported: Exported, seconds: int = 5) -> None:
    """A later undisturbed run that leaves no open write."""
    exported.shop.calm()
    exported.shop.advance(seconds)
    run = exported.run()
    assert run.status == "succeeded", [outcome.message for outcome in run.outcomes if outcome.message]
    open_states = (OpState.PLANNED, OpState.SENT, OpState.UNKNOWN)
    assert not [op for op in exported.ops() if op.state in open_states or op.answer is not None]


def customers(exported: Exported) -> list[tuple[Any, ...]]:
    return sorted((row.obj["metadata"]["code"], row.obj["name"]) for row in exported.shop.rows("customer"))


def prices(exported: Exported) -> list[tuple[Any, ...]]:
    shown = [row.obj for row in exported.shop.rows("price")]
    return sorted((price["unit_amount"], price["active"], price["lookup_key"]) for price in shown)


def credits_of(exported: Exported) -> list[str]:
    return [row.obj["description"] for row in exported.shop.rows("customer_balance_transaction")]


@pytest.mark.parametrize("crash", [NOTED, UNHEARD, ANSWERED])
@pytest.mark.parametrize("deed", ["edit", "delete"])
def test_settled_response_does_not_hide_later_changes(opened: Open, crash: Crash, deed: str) -> None:
    exported = opened("people")
    exported.fill({"people": [("a", "Ann", None, None)]})
    exported.run(life=Life(crash))
    ((name, _),) = [(row.id, row) for row in exported.shop.rows("customer")]
    exported.shop.advance(5)
    if deed == "edit":
        exported.shop.act("POST", f"/v1/customers/{name}", {"name": "somebody"})
    else:
        exported.shop.act("DELETE", f"/v1/customers/{name}")
    settle(exported)
    assert customers(exported) == [("a", "Ann")]


@pytest.fixture
def replaced(opened: Open) -> Exported:
    """An existing price that is to be replaced."""
    exported = opened("prices")
    exported.fill({"items": [("basic", "Basic", 100)]})
    settle(exported)
    exported.shop.advance(60)
    exported.fill({"items": [("basic", "Basic", 200)]})
    return exported


REPLACED = [(100, False, None), (200, True, "basic")]


@pytest.mark.parametrize("seconds", [5, 25 * HOUR])
@pytest.mark.parametrize(
    "crash",
    [
        Crash("ledger.end_ops", 1, after=False),
        Crash("ledger.end_ops", 1, after=True),
        Crash("ledger.mark_sent", 2, after=True),
        Crash("ledger.end_ops", 2, after=False),
        Crash("ledger.end_ops", 1, after=False, asks=True),
    ],
)
def test_interrupted_replacement_is_completed(replaced: Exported, crash: Crash, seconds: int) -> None:
    replaced.run(life=Life(crash))
    settle(replaced, seconds)
    assert prices(replaced) == REPLACED


def test_replacement_stopped_while_it_is_completed_is_not_lost(replaced: Exported) -> None:
    replaced.run(life=Life(Crash("ledger.mark_sent", 2, after=False)))
    replaced.shop.advance(5)
    replaced.run(life=Life(Crash("ledger.open_ops", 2, after=True, asks=True)))
    assert (100, True, None) in prices(replaced)
    settle(replaced)
    assert prices(replaced) == REPLACED


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("applied", [True, False])
def test_replayed_error_does_not_end_a_replacement(replaced: Exported, skip: int, applied: bool) -> None:
    replaced.shop.fault(kind="error", method="POST", path="/v1/prices*", skip=skip, times=1, applied=applied)
    assert replaced.run().status == "failed"
    settle(replaced)
    assert prices(replaced) == REPLACED


def test_answers_of_calls_of_a_dead_run_reach_the_schema(opened: Open) -> None:
    exported = opened("credits")
    ann = exported.shop.act("POST", "/v1/customers", {"name": "Ann"})["id"]
    exported.fill({"credits": [("one", ann, -100)]})
    exported.run(life=Life(Crash("staging.keep_outcomes", 1, after=True)))
    settle(exported)
    assert [row["credit"] for row in exported.rows("given")] == ["one"] == credits_of(exported)


def test_call_that_was_made_is_done_although_its_row_is_now_refused(opened: Open) -> None:
    exported = opened("credits")
    ann = exported.shop.act("POST", "/v1/customers", {"name": "Ann"})["id"]
    exported.fill({"credits": [("one", ann, -100)]})
    settle(exported)
    exported.fill({"credits": [("one", ann, -100), ("one", ann, -200), ("two", None, -300)]})
    exported.run()
    found = [(row["_status"], row["_message"]) for row in exported.outcomes("credits.credits")]
    assert [status for status, _ in found] == ["unchanged", "unchanged", "refused"], found
    assert credits_of(exported) == ["one"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate_limit", "reason": "global-rate"},
        {"kind": "lock"},
        {"kind": "error", "status": 401},
        {"kind": "error", "status": 403},
    ],
)
def test_rejection_before_processing_leaves_the_earlier_try_unknown(opened: Open, fault: dict[str, Any]) -> None:
    exported = opened("credits")
    ann = exported.shop.act("POST", "/v1/customers", {"name": "Ann"})["id"]
    exported.fill({"credits": [("one", ann, -100)]})
    exported.run(life=Life(UNHEARD))
    assert credits_of(exported) == ["one"]
    exported.shop.forget_answers()
    exported.shop.fault(**fault, method="POST")
    exported.run()
    assert [op.state for op in exported.ops()] == [OpState.UNKNOWN]
    exported.shop.calm()
    exported.shop.advance(25 * HOUR)
    exported.run()
    assert [op.state for op in exported.ops()] == [OpState.QUARANTINED]
    assert credits_of(exported) == ["one"]


def test_run_stopped_while_settling_loses_no_open_write(opened: Open) -> None:
    exported = opened("credits")
    ann = exported.shop.act("POST", "/v1/customers", {"name": "Ann"})["id"]
    exported.fill({"credits": [("one", ann, -100)]})
    exported.run(life=Life(UNHEARD))
    exported.shop.advance(5)
    exported.run(life=Life(Crash("ledger.open_ops", 1, after=True, asks=True)))
    assert [op.state for op in exported.ops()] == [OpState.SENT]
    settle(exported)
    assert [op.state for op in exported.ops()] == [OpState.DONE]
    assert credits_of(exported) == ["one"]
