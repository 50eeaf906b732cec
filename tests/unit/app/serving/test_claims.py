"""Each start is claimed by one server; other servers take over the claims of a server that has died."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.app.serving.claims import ClaimedTimes
from engine.run import RunRecord, describe_process, process_is_alive
from engine.stores import SqlServingStore, open_run_store, open_serving_store

DUE = datetime(2026, 5, 1, tzinfo=UTC)
NEXT = DUE + timedelta(hours=1)
DEAD = "pid 999999 on elsewhere, since 2026-05-01 00:00:00.000000 UTC"
HERE = "pid 1 on here, since 2026-05-01 00:00:00.000000 UTC"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlServingStore]:
    opened = open_serving_store(tmp_path / "state.db")
    yield opened
    opened.close()


def claimed_times(store: SqlServingStore, owner: str) -> ClaimedTimes:
    made = ClaimedTimes(store, owner, lambda: DUE)
    made.move_due("beat", None, DUE)
    return made


def test_claim_by_two_servers_succeeds_for_one(store: SqlServingStore) -> None:
    one, two = claimed_times(store, HERE), claimed_times(store, DEAD)
    assert [one.move_due("beat", DUE, NEXT), two.move_due("beat", DUE, NEXT)] == [True, False]
    assert dict(store.due()) == {"beat": NEXT}
    [claim] = store.claims()
    assert (claim.owner, claim.due, claim.run) == (HERE, DUE, one.run_of("beat", DUE))
    assert one.run_of("beat", DUE) is None


def test_claim_of_a_dead_server_is_taken_over_once_with_its_run_id(store: SqlServingStore) -> None:
    dead = claimed_times(store, DEAD)
    dead.move_due("beat", DUE, NEXT)
    run = dead.run_of("beat", DUE)
    one, two = claimed_times(store, HERE), claimed_times(store, HERE.replace("here", "there"))
    found = one.left_behind(lambda owner: owner != DEAD)
    assert [(each.interface, each.due, each.run) for each in found] == [("beat", DUE, run)]
    assert two.left_behind(lambda owner: owner != DEAD) == []


def test_claim_of_a_living_server_is_not_taken_over(store: SqlServingStore) -> None:
    claimed_times(store, DEAD).move_due("beat", DUE, NEXT)
    assert claimed_times(store, HERE).left_behind(lambda _: True) == []


def test_claim_of_a_run_that_has_started_is_not_taken_over(store: SqlServingStore, tmp_path: Path) -> None:
    dead = claimed_times(store, DEAD)
    dead.move_due("beat", DUE, NEXT)
    run = dead.run_of("beat", DUE)
    assert run is not None
    runs = open_run_store(tmp_path / "state.db")
    runs.begin_run(RunRecord(run, ("beat",), "running", DUE, None, "schedule", None, "", {}))
    runs.close()
    assert claimed_times(store, HERE).left_behind(lambda _: False) == []
    assert store.claims() == []


def test_claim_is_removed_when_its_start_is_skipped_or_ends(store: SqlServingStore) -> None:
    one = claimed_times(store, HERE)
    one.move_due("beat", DUE, NEXT)
    one.give_up("beat", DUE)
    assert store.claims() == []
    one.move_due("beat", NEXT, NEXT + timedelta(hours=1))
    run = one.run_of("beat", NEXT)
    assert run is not None
    one.settle(run)
    assert store.claims() == []


def test_claim_with_our_process_id_and_another_start_time_is_taken_over(store: SqlServingStore) -> None:
    """In a container the first process has the same ID after each restart."""
    before = "pid 77 on box, since 2026-04-01 00:00:00.000000 UTC"
    store.move_due("beat", None, DUE)
    from engine.stores import Claim

    store.move_due("beat", DUE, NEXT, Claim("beat", DUE, "r1", before))
    now = ClaimedTimes(store, before.replace("2026-04-01", "2026-05-01"), lambda: DUE)
    assert [each.run for each in now.left_behind(lambda _: True)] == ["r1"]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell when a process began")
def test_claim_of_a_dead_server_with_a_reused_process_id_is_taken_over(store: SqlServingStore) -> None:
    program = "from datetime import UTC, datetime; from engine.run import *; print(describe_process(datetime.now(UTC)))"
    described = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.strip()
    dead = re.sub(r"^pid \d+", f"pid {os.getppid()}", described)
    claimed_times(store, dead).move_due("beat", DUE, NEXT)
    [found] = claimed_times(store, describe_process(DUE)).left_behind(process_is_alive)
    assert (found.interface, found.due) == ("beat", DUE)
