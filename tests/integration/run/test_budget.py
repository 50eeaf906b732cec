"""Read budgets of whole runs: what is counted, where a run ends, and what is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine.connector import FailureKind
from engine.plan import Plan
from engine.run import ConnectionReads, execute_plan, first_day
from engine.run.outcome import Run
from engine.testing.fakes import MemoryRunStore
from tests.support.run_project import SETTINGS, Project, extract, load, plan

TASKS = (
    extract("customers"),
    extract("charges"),
    load("a.load", "SELECT id, amount FROM customers", "stripe.customers"),
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with six slices of two rows of each table; a slice costs a request for each unfinished table."""
    found = Project(tmp_path)
    rows = [{"id": f"c{number}", "amount": number, "created": 1_700_000_000} for number in range(11)]
    found.provide(customers=rows, charges=rows[:3])
    return found


def budgeted(budget: int | None) -> Plan:
    """The plan with a read budget."""
    return replace(plan(*TASKS), connections=(replace(SETTINGS, read_budget=budget),))


def run(project: Project, budget: int | None, **changes: Any) -> Run:
    """A run with this budget."""
    return execute_plan(budgeted(budget), project.world(**changes), project.events.append)


def used(project: Project) -> int:
    """The number of counted requests."""
    return sum(project.memory.reads.values())


def staged(project: Project) -> int:
    """The number of customers in the mirror."""
    with duckdb.connect(str(project.staging), read_only=True) as connection:
        (count,) = connection.execute("SELECT count(*) FROM customers").fetchone() or (0,)
        return int(count)


def test_run_counts_every_request(project: Project) -> None:
    done = run(project, None)
    assert done.status == "succeeded"
    assert used(project) == 6 + 2
    assert project.memory.runs["run-1"][0].reads == (ConnectionReads("stripe", 8, 0, 0, 8, None),)
    run(project, 1000)
    assert used(project) == 16
    assert project.memory.runs["run-2"][0].reads == (ConnectionReads("stripe", 8, 0, 0, 16, 1000),)


def test_run_ends_after_the_slice_that_spends_the_budget(project: Project) -> None:
    done = run(project, 5)
    assert done.status == "failed"
    failed = done.outcome("stripe.customers")
    assert failed is not None
    assert failed.failure is not None
    assert (failed.code, failed.failure.kind) == ("E627", FailureKind.BUDGET)
    assert "5 of 5 requests" in (failed.message or "")
    assert "--over-budget" in (failed.hint or "")
    assert failed.counts["requests"] == 3
    assert used(project) == 5
    assert staged(project) == 6, "what was read stays"
    written = done.outcome("a.load")
    assert written is not None
    assert written.status == "skipped"
    assert project.memory.runs["run-1"][0].reads == (ConnectionReads("stripe", 5, 0, 0, 5, 5),)


def test_run_over_budget_continues_when_allowed(project: Project) -> None:
    assert run(project, 5, over_budget=True).status == "succeeded"
    assert used(project) == 8


def test_run_with_a_spent_budget_sends_no_request(project: Project) -> None:
    MemoryRunStore(project.memory).count_reads("stripe", datetime.now(UTC).date(), 5)
    done = run(project, 5)
    assert done.status == "failed"
    assert used(project) == 5
    assert project.memory.runs["run-1"][0].reads == (ConnectionReads("stripe", 0, 0, 0, 5, 5),)


def test_requests_of_other_runs_count_towards_the_budget(project: Project) -> None:
    """The budget is checked before each slice."""
    accounts = project.world().accounts

    def spending(settings: Any, sent: Any) -> Any:
        MemoryRunStore(project.memory).count_reads("stripe", datetime.now(UTC).date(), 97)
        return accounts(settings, sent)

    assert run(project, 100, accounts=spending).status == "failed"
    assert 100 <= used(project) <= 101


def test_requests_older_than_the_period_do_not_count(project: Project) -> None:
    store = MemoryRunStore(project.memory)
    today = datetime.now(UTC).date()
    assert first_day(datetime(2026, 3, 1, tzinfo=UTC)) == date(2026, 1, 31)
    store.count_reads("stripe", today - timedelta(days=30), 1000)
    store.count_reads("another", today, 1000)
    assert run(project, 100).status == "succeeded"


def test_requests_of_a_failed_run_are_counted(project: Project) -> None:
    project.provide(charges="key")
    assert run(project, 100).status == "failed"
    assert used(project) == 1, "customers were asked for before charges failed"
    assert project.memory.runs["run-1"][0].reads == (ConnectionReads("stripe", 1, 0, 0, 1, 100),)


def test_requests_of_a_failed_table_are_counted(project: Project) -> None:
    project.provide(charges="permission")
    done = run(project, 100)
    assert (done.outcome("stripe.charges") or done.outcomes[0]).status == "failed"
    assert used(project) == 1 + 6, "customers are read again from the start"
    assert (done.outcome("stripe.customers") or done.outcomes[0]).counts["rows"] == 11


def test_requests_are_recorded_during_a_slice(project: Project) -> None:
    """A killed run has counted all but its last requests."""
    ticks = iter(range(10_000))
    world_now = datetime.now(UTC)
    seen: list[int] = []

    def now() -> datetime:
        return world_now + timedelta(seconds=3 * next(ticks))

    def watch(event: Any) -> None:
        seen.append(used(project))

    execute_plan(budgeted(None), project.world(now=now), watch)
    assert seen[0] == 0
    assert any(0 < count < 8 for count in seen)
    assert used(project) == 8
