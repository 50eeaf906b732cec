"""Whole runs on real DuckDB files: from a provider's rows to tables of the Schema, with every kind of failure."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine.connector import FailureKind, Op, Predicate
from engine.duck import DuckStaging
from engine.graph import Action
from engine.relation import TEXT, Column, Relation
from engine.run import RunEnded, RunRefusedError, RunStarted, TaskEnded, TaskProgressed, TaskStarted, execute_plan
from engine.run.outcome import Run
from engine.run.tracking import OVERLAP
from tests.support.run_project import CATALOGUE, Project, extract, load, plan, respond, stop_if

ALL = "SELECT id, amount FROM customers"


def rows(*amounts: int) -> list[dict[str, object]]:
    return [{"id": f"c{number}", "amount": amount, "created": 1_700_000_000} for number, amount in enumerate(amounts)]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path)
    found.provide(customers=rows(1, 2, 3, 4, 5), charges=rows(7))
    return found


def run(project: Project, *tasks: Any, **changes: Any) -> Run:
    return execute_plan(plan(*tasks), project.world(**changes), project.events.append)


def statuses(done: Run) -> dict[str, str]:
    return {outcome.id: outcome.status for outcome in done.outcomes}


def test_run_moves_rows_from_the_provider_to_the_table_once(project: Project) -> None:
    tasks = (extract("customers"), load("a.load", ALL, "stripe.customers"))
    done = run(project, *tasks)
    assert done.status == "succeeded"
    assert project.read("SELECT * FROM money ORDER BY id") == [(f"c{n}", n + 1) for n in range(5)]
    assert done.outcomes[0].counts == {"requests": 3, "rows": 5, "sent": 3}
    assert done.outcomes[1].counts["inserted"] == 5
    again = run(project, *tasks)
    assert again.outcomes[1].counts == {
        "read": 5, "inserted": 0, "updated": 0, "deleted": 0, "unchanged": 5, "rejected": 0,
    }  # fmt: skip
    assert [path.name for path in (project.folder / ".weir" / "spool").iterdir()] == []


def test_rows_deleted_at_the_provider_are_deleted_with_a_warning_if_all(project: Project) -> None:
    tasks = (extract("customers"), load("a.load", ALL, "stripe.customers", action=Action.REPLACE))
    run(project, *tasks)
    project.provide(customers=rows(1, 9))
    assert run(project, *tasks).outcomes[1].counts["deleted"] == 3
    assert project.read("SELECT * FROM money ORDER BY id") == [("c0", 1), ("c1", 9)]
    project.provide(customers=[])
    emptied = run(project, *tasks)
    assert emptied.outcomes[0].warnings == ("no rows in `customers`, where an earlier run read 2",)
    assert project.read("SELECT * FROM money") == []


def test_empty_response_to_a_new_filter_is_no_warning(project: Project) -> None:
    run(project, extract("customers"))
    project.provide(customers=[])
    large = extract("customers", ((Predicate("amount", Op.GT, (100,)),),))
    assert run(project, large).outcomes[0].warnings == ()
    assert run(project, extract("customers")).outcomes[0].warnings != ()


def test_table_reported_as_failed_fails_alone(project: Project) -> None:
    project.provide(charges="report missing")
    done = run(project, extract("customers"), extract("charges"), load("a.load", ALL, "stripe.customers"))
    assert statuses(done) == {"stripe.customers": "succeeded", "stripe.charges": "failed", "a.load": "succeeded"}
    assert done.outcomes[1].message == "gone"
    assert done.outcomes[0].counts == {"requests": 3, "rows": 5, "sent": 3}


def test_table_that_cannot_be_read_fails_with_its_dependents_only(project: Project) -> None:
    project.provide(charges="permission")
    done = run(
        project,
        extract("customers"),
        extract("charges"),
        load("a.load", ALL, "stripe.customers"),
        load("b.load", "SELECT id, amount FROM charges", "stripe.charges", into="more"),
        load("b.next", ALL, "b.load", into="more"),
    )
    assert statuses(done) == {
        "stripe.customers": "succeeded", "stripe.charges": "failed", "a.load": "succeeded",
        "b.load": "skipped", "b.next": "skipped",
    }  # fmt: skip
    failed = done.outcomes[1]
    assert (failed.code, failed.message, failed.hint) == ("E621", "no charges for you", "ask nicely")
    assert failed.failure is not None
    assert failed.failure.kind is FailureKind.PERMISSION
    assert done.outcomes[3].message == "`stripe.charges` failed"
    assert done.status == "failed"
    assert project.read("SELECT count(*) FROM money") == [(5,)]


def test_refused_key_fails_every_table_of_the_connection(project: Project) -> None:
    project.provide(charges="key")
    done = run(project, extract("customers"), extract("charges"), load("a.load", ALL, "stripe.customers"))
    assert statuses(done) == {"stripe.customers": "failed", "stripe.charges": "failed", "a.load": "skipped"}


def test_failed_box_keeps_its_table_and_reports_the_place(project: Project) -> None:
    broken = Relation((Column("id", TEXT), Column("amount", TEXT)))
    done = run(
        project,
        extract("customers"),
        load("a.load", ALL, "stripe.customers"),
        load("a.tidy", "SELECT id, error(id) AS amount FROM money", "a.load", relation=broken, connection=None),
        load("b.load", ALL, "stripe.customers", into="more"),
    )
    assert statuses(done)["a.tidy"] == "failed"
    assert statuses(done)["b.load"] == "succeeded"
    assert done.outcomes[2].code == "E620"
    assert done.outcomes[2].place is not None
    assert project.read("SELECT count(*) FROM money") == [(5,)]


def test_on_error_continue_runs_the_next_step_and_fails_the_run(project: Project) -> None:
    done = run(
        project,
        extract("customers"),
        load("a.one", "SELECT 'x' AS id, amount FROM customers", "stripe.customers", on_error="continue"),
        load("a.two", ALL, "a.one", "stripe.customers"),
    )
    assert done.outcomes[1].code == "E602"
    assert statuses(done)["a.two"] == "succeeded"
    assert done.status == "failed"


def test_on_empty_stop_and_stop_if_end_the_interface_with_success(project: Project) -> None:
    done = run(
        project,
        extract("customers"),
        load("a.none", f"{ALL} WHERE false", "stripe.customers", on_empty="stop"),
        load("a.next", ALL, "a.none"),
        load("b.load", ALL, "stripe.customers"),
        stop_if("b.enough", "SELECT count(*) > 4 FROM money", "b.load"),
        load("b.next", ALL, "b.enough", into="more"),
        load("c.load", ALL, "stripe.customers", into="more"),
        stop_if("c.null", "SELECT NULL::BOOLEAN", "c.load"),
        respond("c.answer", "SELECT * FROM more ORDER BY id LIMIT 2", "c.null"),
    )
    assert {name for name, status in statuses(done).items() if status == "skipped"} == {"a.next", "b.next"}
    assert done.status == "succeeded"
    answer = done.outcome("c.answer")
    assert answer is not None
    assert answer.response is not None
    with duckdb.connect(str(answer.response), read_only=True) as connection:
        assert connection.execute("SELECT * FROM result").fetchall() == [("c0", 1), ("c1", 2)]


def test_stop_if_without_a_boolean_fails(project: Project) -> None:
    done = run(project, stop_if("a.stop", "SELECT 1", relation=Relation((Column("n", TEXT),))))
    assert done.outcomes[0].code == "E623"


def test_rejects_and_snapshots_are_reported(project: Project) -> None:
    words = Relation((Column("id", TEXT), Column("amount", TEXT)))
    sql = "SELECT id, CASE id WHEN 'c1' THEN 'many' ELSE amount::VARCHAR END AS amount FROM customers"
    done = run(project, extract("customers"), load("a.load", sql, "stripe.customers", relation=words, snapshot=True))
    outcome = done.outcomes[1]
    assert done.status == "succeeded"
    assert outcome.counts["rejected"] == 1
    assert outcome.warnings == (
        "1 of 5 rows do not fit `money` and were left out, "
        "the first (id c1) because `amount`: `many` is not an integer of 64 bits",
    )
    assert outcome.snapshot is not None
    assert duckdb.sql(f"SELECT count(*) FROM '{outcome.snapshot}'").fetchall() == [(4,)]


def test_events_and_run_record_agree(project: Project) -> None:
    done = run(project, extract("customers"), load("a.load", ALL, "stripe.customers"))
    assert isinstance(project.events[0], RunStarted)
    assert isinstance(project.events[-1], RunEnded)
    progress = [event for event in project.events if isinstance(event, TaskProgressed) and "requests" in event.counts]
    assert [event.counts["rows"] for event in progress] == [2, 4, 5]
    ended = [event.task for event in project.events if isinstance(event, TaskEnded)]
    found = project.world().runs.run(done.id)
    assert found is not None
    record, steps = found
    assert [step.step for step in steps] == ended == ["stripe.customers", "a.load"]
    assert (record.status, record.user, record.commit) == ("succeeded", "ada", "abc")
    assert record.counts == done.counts


def test_cancelled_run_stops_before_the_next_commit(project: Project) -> None:
    def cancel(event: object) -> None:
        project.events.append(event)
        if isinstance(event, TaskProgressed) and "read" in event.counts:
            project.stop.set()

    tasks = (extract("customers"), load("a.load", ALL, "stripe.customers"), load("a.next", ALL, "a.load"))
    done = execute_plan(plan(*tasks), project.world(), cancel)
    assert statuses(done) == {"stripe.customers": "succeeded", "a.load": "stopped", "a.next": "skipped"}
    assert done.status == "stopped"
    assert not project.store.exists()


def test_run_with_a_lost_lease_stops_before_its_next_commit(project: Project) -> None:
    world = project.world(lease_seconds=0.1)

    def steal(event: object) -> None:
        if isinstance(event, TaskProgressed) and "read" in event.counts:
            world.runs.evict("interface:a", world.owner)
            world.runs.acquire("interface:a", "thief", datetime.now(UTC), 60)
            project.stop.wait(0.5)

    done = execute_plan(plan(extract("customers"), load("a.load", ALL, "stripe.customers")), world, steal)
    assert done.status == "stopped"
    assert not project.store.exists()
    assert world.runs.holder("interface:a") == "thief"


def test_run_waits_until_another_releases_the_mirror(project: Project) -> None:
    tasks = (extract("customers"), load("a.load", ALL, "stripe.customers"))
    with DuckStaging(project.staging, CATALOGUE).hold(lambda who: pytest.fail(who)), ThreadPoolExecutor(1) as pool:
        going = pool.submit(run, project, *tasks)
        while not any(isinstance(event, TaskProgressed) and event.waiting for event in project.events):
            assert not going.done()
            time.sleep(0.01)
        assert not project.staging.exists()
        project.stop.set()
        assert statuses(going.result()) == {"stripe.customers": "stopped", "a.load": "skipped"}
    project.stop.clear()
    assert run(project, *tasks).status == "succeeded"


def test_run_holds_the_mirror_until_its_last_box(project: Project) -> None:
    def look(event: object) -> None:
        if isinstance(event, TaskStarted) and event.task == "a.load":
            with pytest.raises(BlockingIOError), DuckStaging(project.staging, CATALOGUE).hold(refuse):
                raise AssertionError("two hold the mirror")
            looked.append(event)

    def refuse(_who: str) -> None:
        raise BlockingIOError

    looked: list[object] = []
    tasks = (extract("customers"), load("a.load", ALL, "stripe.customers"))
    assert execute_plan(plan(*tasks), project.world(), look).status == "succeeded"
    assert looked
    with DuckStaging(project.staging, CATALOGUE).hold(refuse):
        pass


def test_run_of_a_busy_interface_is_refused_before_any_work(project: Project) -> None:
    project.world().runs.acquire("interface:a", "pid 1 on elsewhere, since noon UTC", datetime.now(UTC), 60)
    with pytest.raises(RunRefusedError) as caught:
        run(project, extract("customers"), load("a.load", ALL, "stripe.customers"))
    assert caught.value.message == "`a` is already running: pid 1 on elsewhere, since noon UTC"
    assert project.events == []
    assert not project.staging.exists()


def test_spool_files_of_a_dead_run_are_deleted(project: Project) -> None:
    left = project.folder / ".weir" / "spool" / "run-dead"
    left.mkdir(parents=True)
    (left / "page.spool").write_bytes(b"half")
    run(project, extract("customers"), load("a.load", ALL, "stripe.customers"))
    assert not left.exists()


def test_tracked_parameters_are_stored_only_after_success(project: Project) -> None:
    tasks = (extract("customers"), load("a.load", ALL, "stripe.customers"), load("b.load", "SELECT 1/0", into="more"))
    execute_plan(plan(*tasks), project.world(), project.events.append, {"a": ("since",), "b": ("since",)})
    tracked = dict(project.world().runs.tracked())
    assert set(tracked) == {("a", "since")}
    as_of = min(each.as_of for each in DuckStaging(project.staging, CATALOGUE).coverage())
    assert datetime.fromisoformat(tracked["a", "since"]) == as_of - OVERLAP


def test_internal_error_fails_only_its_task(project: Project) -> None:
    world = project.world()

    class Broken:
        path = project.store

        def apply(self, job: Any, result: Any) -> Any:
            if job.table == "more":
                raise RuntimeError("oops")
            return world.tables.apply(job, result)

        def close(self) -> None: ...

    tasks = (
        extract("customers"),
        load("a.load", ALL, "stripe.customers"),
        load("b.load", ALL, "stripe.customers", into="more"),
    )
    done = execute_plan(plan(*tasks), replace(world, tables=Broken()), project.events.append)
    assert statuses(done) == {"stripe.customers": "succeeded", "a.load": "succeeded", "b.load": "failed"}
    assert done.outcomes[2].code == "E629"
