"""Which tasks may start, and which are skipped for which reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from engine.connector import Need
from engine.diagnostics import Place
from engine.graph import Action, Bound, Box, Extract, Import
from engine.plan import Estimate, Plan, Task
from engine.relation import Relation
from engine.run.outcome import Outcome, Status
from engine.run.schedule import Schedule

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BOX = Box("SELECT 1", Place("x.yaml"), (), Bound(Relation(()), ()))


def extract(table: str) -> Task:
    return task(Extract(f"stripe.{table}", "stripe", table, (("a.one", Need(table, ())),)))


def task(step: Extract | Import, *needs: str) -> Task:
    return Task(step, "do", "because", Estimate(None, None), needs)


def load(step_id: str, *needs: str, on_error: Literal["stop", "continue"] = "stop") -> Task:
    interface, _, name = step_id.partition(".")
    step = Import(
        step_id, interface, name, "stripe", BOX, "t", Relation(()), (), Action.REPLACE, (), (), on_error,
        "continue", False, Place("x.yaml"), needs,
    )  # fmt: skip
    return task(step, *needs)


def schedule(*tasks: Task) -> Schedule:
    return Schedule(Plan(("a",), (), tasks, (), "hash"))


def ended(task_id: str, status: Status = "succeeded", *, ends: bool = False) -> Outcome:
    interface = None if task_id.startswith("stripe") else task_id.partition(".")[0]
    return Outcome(task_id, "import", "", interface, status, NOW, NOW, ends_interface=ends)


def begun(found: Schedule) -> tuple[list[str], list[tuple[str, str]]]:
    units, skips = found.take()
    return [unit.id for unit in units], [(skip.task.id, skip.reason) for skip in skips]


def test_extracts_of_a_connection_start_together_and_before_their_dependents() -> None:
    found = schedule(extract("customers"), extract("charges"), load("a.one", "stripe.customers"), load("b.one"))
    units, _ = found.take()
    assert [[each.id for each in unit.tasks] for unit in units] == [["stripe.customers", "stripe.charges"], ["b.one"]]
    assert begun(found) == ([], [])
    found.end(ended("stripe.customers"))
    assert begun(found) == (["a.one"], [])
    assert found.is_over


def test_failure_skips_only_its_dependents() -> None:
    found = schedule(extract("charges"), load("a.one", "stripe.charges"), load("a.two", "a.one"), load("b.one"))
    assert begun(found) == (["extract stripe", "b.one"], [])
    found.end(ended("stripe.charges", "failed"))
    assert begun(found) == ([], [("a.one", "`stripe.charges` failed"), ("a.two", "`a.one` was skipped")])


def test_on_error_continue_starts_the_next_step_after_a_failure() -> None:
    found = schedule(
        extract("charges"), load("a.one", "stripe.charges", on_error="continue"), load("a.two", "a.one"),
        load("b.one", on_error="continue"), load("b.two", "b.one"),
    )  # fmt: skip
    found.take()
    found.end(ended("stripe.charges", "failed"))
    found.end(ended("b.one", "failed"))
    assert begun(found) == (["a.two", "b.two"], [("a.one", "`stripe.charges` failed")])


def test_ended_interface_skips_its_rest_and_blocks_no_other() -> None:
    found = schedule(load("a.one"), load("a.two", "a.one"), load("b.one", "a.two"))
    found.take()
    found.end(ended("a.one", ends=True))
    assert begun(found) == (["b.one"], [("a.two", "the interface ended at `a.one`")])


def test_take_rest_returns_the_remaining_tasks_once() -> None:
    found = schedule(load("a.one"), load("a.two", "a.one"))
    found.take()
    assert [each.id for each in found.take_rest()] == ["a.two"]
    assert found.is_over
    assert found.take_rest() == []


def test_task_does_not_wait_for_needs_outside_the_plan() -> None:
    found = schedule(replace(load("a.one"), needs=("elsewhere.load",)))
    assert begun(found) == (["a.one"], [])
