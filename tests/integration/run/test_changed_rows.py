"""Runs of steps that read only changed rows: what they read, what causes a rebuild, and that no change is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine.graph import Action, Box, Import, MapColumn
from engine.relation import INTEGER, TEXT, TIMESTAMP, Column, Relation
from engine.run import BoxError, RunRecord, StoreError, execute_plan
from engine.run.outcome import Outcome, Run
from tests.support.run_project import SETTINGS, Project, extract, load, plan

CHANGED = "SELECT id, amount FROM changed.customers"
GONE = "SELECT id, amount FROM changed.customers_all WHERE _deleted_at IS NOT NULL"
PARTS = (("box", "1"), ("write", "1"), ("table", "1"))


def rows(**amounts: int) -> list[dict[str, object]]:
    return [{"id": key, "amount": amount, "created": 1_700_000_000} for key, amount in amounts.items()]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path)
    found.provide(customers=rows(a=1, b=2, c=3))
    return found


def step(sql: str = CHANGED, name: str = "a.load", fingerprint: Any = PARTS, **changes: Any) -> Any:
    return load(name, sql, "stripe.customers", fingerprint=fingerprint, **changes)


def run(project: Project, *tasks: Any, **changes: Any) -> Run:
    return execute_plan(
        plan(extract("customers"), *(tasks or (step(),))), project.world(**changes), project.events.append
    )


def outcome(done: Run, name: str = "a.load") -> Outcome:
    found = done.outcome(name)
    assert found is not None
    assert found.status == "succeeded", found.message
    return found


def counts(done: Run, name: str = "a.load") -> Mapping[str, int]:
    return {key: number for key, number in outcome(done, name).counts.items() if number}


def table(project: Project, name: str = "money") -> list[Any]:
    return project.read(f"SELECT id, amount FROM {name} ORDER BY id")


def test_second_run_reads_only_changed_rows(project: Project) -> None:
    assert counts(run(project)) == {"read": 3, "inserted": 3}
    again = run(project)
    assert counts(again) == {}
    assert outcome(again).message is None
    project.provide(customers=rows(a=1, b=9, c=3))
    assert counts(run(project)) == {"read": 1, "updated": 1}
    project.provide(customers=rows(a=1, b=9, c=3, d=4))
    assert counts(run(project)) == {"read": 1, "inserted": 1}
    project.provide(customers=rows(a=1, b=9, c=3))
    assert counts(run(project)) == {}
    project.provide(customers=rows(a=1, b=9, c=3, d=4))
    assert counts(run(project)) == {"read": 1, "unchanged": 1}
    assert table(project) == [("a", 1), ("b", 9), ("c", 3), ("d", 4)]


def test_deleted_rows_are_read_once(project: Project) -> None:
    steps = (step(), step(GONE, "a.gone", action=Action.DELETE, mapping=(), after=("a.load",)))
    run(project, *steps)
    project.provide(customers=rows(b=2))
    done = run(project, *steps)
    assert (counts(done), counts(done, "a.gone")) == ({}, {"read": 2, "deleted": 2})
    assert counts(run(project, *steps), "a.gone") == {}
    project.provide(customers=rows(a=1, b=2))
    assert counts(run(project, *steps)) == {"read": 1, "inserted": 1}
    assert table(project) == [("a", 1), ("b", 2)]


@pytest.mark.parametrize("part", ["box", "write", "table"])
def test_edit_of_the_step_reads_all_rows_once(project: Project, part: str) -> None:
    run(project)
    edited = step(fingerprint=tuple((name, "2" if name == part else value) for name, value in PARTS))
    done = run(project, edited)
    assert counts(done) == {"read": 3, "unchanged": 3}
    assert outcome(done).message is not None
    assert str(outcome(done).message).endswith("has changed since run run-1")
    assert counts(run(project, edited)) == {}
    assert counts(run(project)) == {"read": 3, "unchanged": 3}


def test_changed_connection_reads_all_rows(project: Project) -> None:
    run(project)
    made = plan(extract("customers"), step())
    other = replace(made, connections=(replace(SETTINGS, api_version="v2"),))
    done = execute_plan(other, project.world(), project.events.append)
    assert counts(done) == {"read": 3, "unchanged": 3}
    assert outcome(done).message == "rebuilt from all rows: the connection has changed since run run-1"


def test_lost_table_is_written_again(project: Project) -> None:
    run(project)
    project.store.unlink()
    assert counts(run(project)) == {"read": 3, "inserted": 3}
    with duckdb.connect(str(project.store)) as connection:
        connection.execute("DROP TABLE money")
    done = run(project)
    assert counts(done) == {"read": 3, "inserted": 3}
    assert outcome(done).message == "rebuilt from all rows: the table `money` no longer exists"
    project.staging.unlink()
    done = run(project)
    assert counts(done) == {"read": 3, "unchanged": 3}
    assert outcome(done).message == "rebuilt from all rows: the mirror was rebuilt since run run-3"
    assert counts(run(project)) == {}


def test_restored_copy_of_either_file_loses_no_change(project: Project) -> None:
    run(project)
    store, staging = project.store.read_bytes(), project.staging.read_bytes()
    project.provide(customers=rows(a=5, b=2, c=3))
    run(project)
    project.store.write_bytes(store)
    assert counts(run(project)) == {"read": 1, "updated": 1}
    project.staging.write_bytes(staging)
    project.provide(customers=rows(a=5, b=6, c=3))
    run(project)
    assert table(project) == [("a", 5), ("b", 6), ("c", 3)]


def test_run_with_rebuild_reads_all_rows(project: Project) -> None:
    run(project)
    done = run(project, rebuild=True)
    assert counts(done) == {"read": 3, "unchanged": 3}
    assert outcome(done).message == "rebuilt from all rows: it was asked for"
    assert counts(run(project)) == {}


def test_failed_step_reads_the_same_rows_again(project: Project) -> None:
    run(project)
    project.provide(customers=rows(a=7, b=2, c=3))

    class Refusing:
        def __init__(self, wrapped: Any) -> None:
            self._wrapped = wrapped

        def apply(self, *_: Any) -> Any:
            raise StoreError("E610", "the file is in use")

        def __getattr__(self, name: str) -> Any:
            return getattr(self._wrapped, name)

    assert run(project, tables=Refusing(project.world().tables)).status == "failed"

    class Breaking:
        def run(self, *_: Any) -> Any:
            raise BoxError("the box was stopped")

    assert run(project, boxes=Breaking()).status == "failed"
    assert counts(run(project)) == {"read": 1, "updated": 1}


def test_each_step_reads_each_change_once(project: Project) -> None:
    other = step(name="b.load", into="more")
    run(project)
    assert counts(run(project, other), "b.load") == {"read": 3, "inserted": 3}
    project.provide(customers=rows(a=1, b=9, c=3))
    run(project)
    run(project)
    assert counts(run(project, other), "b.load") == {"read": 1, "updated": 1}
    assert table(project, "more") == [("a", 1), ("b", 9), ("c", 3)]


def test_step_that_stops_on_empty_loses_no_change(project: Project) -> None:
    ending = step(on_empty="stop")
    run(project, ending)
    assert outcome(run(project, ending)).ends_interface
    project.provide(customers=rows(a=1, b=2, c=4))
    assert counts(run(project, ending)) == {"read": 1, "updated": 1}


def test_change_log_table_has_each_change_once(project: Project) -> None:
    log = Relation((Column("id", TEXT, True), Column("amount", INTEGER), Column("changed_at", TIMESTAMP)))
    made = step(
        "SELECT id, amount, _changed_at AS changed_at FROM changed.customers",
        action=Action.INSERT,
        relation=log,
        match=(("id", "id"), ("changed_at", "changed_at")),
        mapping=tuple(MapColumn(name, source=name) for name in log.names),
    )
    assert isinstance(made.step, Import)
    made = replace(made, step=replace(made.step, relation=log, key=("id", "changed_at")))
    run(project, made)
    for amount in (8, 9):
        project.provide(customers=rows(a=amount, b=2, c=3))
        assert counts(run(project, made)) == {"read": 1, "inserted": 1}
    assert counts(run(project, made, rebuild=True)) == {"read": 3, "unchanged": 3}
    assert project.read("SELECT amount FROM money WHERE id = 'a' ORDER BY changed_at") == [(1,), (8,), (9,)]


def test_clock_that_goes_back_hides_no_change(project: Project) -> None:
    first = project.world().now()
    run(project, now=lambda: first)
    for amount in (5, 6):
        project.provide(customers=rows(a=amount, b=2, c=3))
        assert counts(run(project, now=lambda: first)) == {"read": 1, "updated": 1}
    assert isinstance(project.memory.runs["run-1"][0], RunRecord)


def test_box_can_combine_changed_rows_and_tables(project: Project) -> None:
    project.provide(customers=rows(a=1, b=2), charges=rows(x=10, y=20))
    sql = (
        "SELECT c.id, sum(h.amount)::BIGINT AS amount FROM customers c, charges h "
        "WHERE c.id IN (SELECT id FROM changed.customers) OR h.id IN (SELECT id FROM changed.charges) GROUP BY 1"
    )
    made = step(sql)
    assert isinstance(made.step, Import)
    assert isinstance(made.step.box, Box)
    tasks = plan(extract("customers"), extract("charges"), replace(made, needs=("stripe.customers", "stripe.charges")))

    def again() -> Mapping[str, int]:
        return counts(execute_plan(tasks, project.world(), project.events.append))

    assert again() == {"read": 2, "inserted": 2}
    assert again() == {}
    project.provide(customers=rows(a=7, b=2))
    assert again() == {"read": 1, "unchanged": 1}
