"""The SQL run store keeps the rules of run state, also between processes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine.run import StoreError
from engine.stores import SqlRunStore, open_run_store
from engine.stores.migrations import load_migrations
from engine.testing.run_store_suite import NOON, RunStoreSuite, StoreAndLedger, record

RACE = """
import sys, time
from datetime import datetime, timezone
from pathlib import Path
from engine.stores import open_run_store
store = open_run_store(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(store.acquire("interface:a", sys.argv[2], datetime(2026, 3, 1, tzinfo=timezone.utc), 30))
"""


class TestSqlRunStore(RunStoreSuite):
    def make(self, directory: Path) -> StoreAndLedger:
        return open_run_store(directory / "deep" / "state.db")


def open_store(directory: Path) -> SqlRunStore:
    return open_run_store(directory / "state.db")


@pytest.mark.process
def test_one_of_several_racing_processes_gets_the_lease(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(tmp_path / "state.db"), f"racer {number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    answers = sorted(racer.communicate(timeout=30)[0].strip() for racer in racers)
    assert answers == ["1", "None", "None", "None"]


def test_migrations_are_numbered_without_gaps_and_applied_once(tmp_path: Path) -> None:
    numbers = [migration.number for migration in load_migrations()]
    assert numbers == list(range(1, len(numbers) + 1))
    for _ in range(2):
        open_store(tmp_path).close()
    with sqlite3.connect(tmp_path / "state.db") as connection:
        assert [row[0] for row in connection.execute("SELECT number FROM schema_version")] == numbers
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_runs_of_an_older_state_are_kept(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state.db") as connection:
        connection.execute("CREATE TABLE schema_version (number INTEGER PRIMARY KEY, name TEXT NOT NULL)")
        for migration in load_migrations()[:3]:
            for statement in migration.statements:
                connection.execute(statement)
            connection.execute("INSERT INTO schema_version VALUES (?, ?)", (migration.number, migration.name))
        row = ("r1", '["customers"]', "succeeded", 1, 2, "ada", None, "sha256:00", '{"rows": 3}')
        connection.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    store = open_store(tmp_path)
    (run,) = store.runs(10)
    assert (run.id, run.counts, run.reads) == ("r1", {"rows": 3}, ())
    store.close()


def test_newer_state_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    with sqlite3.connect(tmp_path / "state.db") as connection:
        connection.execute("INSERT INTO schema_version VALUES (999, 'tomorrow')")
    with pytest.raises(StoreError, match="999"):
        open_store(tmp_path)


def test_file_that_is_no_database_is_refused_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("not a database, but long enough to look at" * 10)
    with pytest.raises(StoreError) as caught:
        open_store(tmp_path)
    assert caught.value.hint


def test_run_with_an_expired_lease_is_abandoned(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.acquire("interface:customers", "pid 1", NOON, 30)
    store.begin_run(record("r1"))
    assert list(store.abandon_dead_runs(NOON + timedelta(seconds=20))) == []
    late = NOON + timedelta(seconds=31)
    assert list(store.abandon_dead_runs(late)) == ["r1"]
    found = store.run("r1")
    assert found is not None
    assert found[0] == replace(record("r1"), status="abandoned", ended=late)
    assert list(store.abandon_dead_runs(late)) == []
    store.close()


def test_run_whose_lease_was_taken_over_is_abandoned(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.acquire("interface:customers", "pid 1", NOON, 30)
    store.begin_run(record("r1"))
    late = NOON + timedelta(seconds=40)
    store.acquire("interface:customers", "pid 2", late, 30)
    store.begin_run(record("r2", started=late))
    assert list(store.abandon_dead_runs(late + timedelta(seconds=10))) == ["r1"]
    store.close()


def test_run_that_has_just_started_is_not_abandoned(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.begin_run(record("r1"))
    assert list(store.abandon_dead_runs(NOON + timedelta(seconds=1))) == []
    store.close()
