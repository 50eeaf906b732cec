"""The effect of a plan on read budgets."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from engine.connector import Need
from engine.graph import Extract
from engine.plan import Beside, ConnectionSettings, Estimate, Plan, ReadBudget, Task, plan_hash, read_budgets
from engine.report.plans.plan_json import render_plan_json
from engine.report.plans.plan_text import render_plan_text

SETTINGS = ConnectionSettings("a", "stripe", "local", 1000, ("env", "K"), "v1", None, None, None, None, 100)


def plan(*requests: int | None, settings: ConnectionSettings = SETTINGS) -> Plan:
    """A plan that reads one table for each of these estimates."""
    tasks = tuple(
        Task(Extract(f"a:t{n}", "a", f"t{n}", (("i.s", Need(f"t{n}", ("id",))),)), "read", "", Estimate(each, None), ())
        for n, each in enumerate(requests)
    )
    return Plan(("i",), (settings,), tasks, (), "")


@pytest.mark.parametrize(
    ("requests", "used", "estimate", "passed"),
    [
        ((10, 5), 85, 15, False),
        ((10, 6), 85, 16, True),
        ((None,), 99, None, False),
        ((None,), 100, None, True),
        ((20, None), 85, 20, True),
        ((20, None), 80, 20, False),
        ((0, None), 100, None, True),
        ((0,), 200, 0, False),
        ((), 200, 0, False),
    ],
)
def test_budget_is_passed_when_estimate_and_use_exceed_it(
    requests: tuple[int | None, ...], used: int, estimate: int | None, passed: bool
) -> None:
    (found,) = read_budgets(plan(*requests), {"a": used, "b": 1000})
    assert found == ReadBudget("a", 100, used, estimate)
    assert found.is_exceeded is passed


def test_requests_beside_tables_count_towards_the_budget() -> None:
    beside = tuple(Beside("a", what, Estimate(1, None)) for what in ("events", "account"))
    (found,) = read_budgets(replace(plan(5, 4), beside=beside), {"a": 90})
    assert (found.estimate, found.is_exceeded) == (11, True)
    (unknown,) = read_budgets(replace(plan(None), beside=beside), {"a": 90})
    assert unknown.estimate is None, "of the tables nothing is known"
    assert plan_hash(replace(plan(5), beside=beside)) == plan_hash(plan(5))


def test_connection_without_a_budget_has_no_report() -> None:
    assert read_budgets(plan(10**9, settings=replace(SETTINGS, read_budget=None)), {"a": 5}) == ()


def test_plan_hash_includes_the_budget_but_not_its_use() -> None:
    assert plan_hash(plan(5)) != plan_hash(plan(5, settings=replace(SETTINGS, read_budget=101)))
    made = plan(5)
    shown = json.loads(render_plan_json(made, read_budgets(made, {"a": 7})))
    assert shown["budgets"] == [{"connection": "a", "budget": 100, "used": 7, "estimate": 5, "is_exceeded": False}]
    assert "budgets" not in json.loads(render_plan_json(made))


def test_plan_text_shows_budget_use_and_estimate() -> None:
    made = plan(5)
    assert "  read budget: about 5 requests; 7 of 100 used in the last 30 days\n" in render_plan_text(
        made, read_budgets(made, {"a": 7})
    )
    assert "; 99 of 100 used in the last 30 days; a run requires `--over-budget`\n" in render_plan_text(
        made, read_budgets(made, {"a": 99})
    )
    made = plan(None)
    assert "read budget: requests: known after the first run; 0 of 100" in render_plan_text(
        made, read_budgets(made, {})
    )
    assert "read budget" not in render_plan_text(made)
