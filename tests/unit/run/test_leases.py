"""Leases exclude concurrent runs and end with their process."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from engine.run import BoxLimits, RunRecord, RunRefusedError, World
from engine.run.leases import Leases, bury_dead_runs
from engine.testing.fakes import DirectExecutor, MemoryRunStore, RunMemory

NOW = datetime(2026, 3, 1, 10, 2, 33, tzinfo=UTC)


def world(memory: RunMemory, owner: str, **changes: Any) -> World:
    nothing = cast("Any", None)
    made = World(
        now=lambda: datetime.now(UTC), executor=DirectExecutor(), staging=nothing, extraction=nothing, accounts=nothing,
        boxes=nothing, fetch=nothing, tables=nothing, runs=MemoryRunStore(memory), reads=MemoryRunStore(memory),
        directory=Path(), limits=BoxLimits(1, 1, 1, 1), owner=owner, is_alive=lambda _: True, new_id=str,
        user="ada", commit=None, cancelled=lambda: False,
    )  # fmt: skip
    return replace(made, **changes)


def test_second_run_of_an_interface_is_refused_and_takes_no_lease() -> None:
    memory = RunMemory()
    with Leases(world(memory, "first"), ["b"]):
        with pytest.raises(RunRefusedError) as caught, Leases(world(memory, "second"), ["a", "b"]):
            pass
        assert (caught.value.code, caught.value.message) == ("E622", "`b` is already running: first")
        with Leases(world(memory, "third"), ["a"]):
            pass
    with Leases(world(memory, "second"), ["a", "b"]):
        pass


def test_lease_of_a_dead_process_is_taken_over_at_once() -> None:
    memory = RunMemory()
    store = MemoryRunStore(memory)
    store.acquire("interface:a", "dead", datetime.now(UTC), 3600)
    with Leases(world(memory, "second", is_alive=lambda owner: owner != "dead"), ["a"]):
        assert store.holder("interface:a") == "second"


def test_heartbeat_keeps_a_lease_and_detects_its_loss() -> None:
    memory = RunMemory()
    store = MemoryRunStore(memory)
    with Leases(world(memory, "first", lease_seconds=0.3), ["a"]) as leases:
        time.sleep(0.6)
        assert store.acquire("interface:a", "second", datetime.now(UTC), 30) is None
        assert not leases.lost
        assert store.evict("interface:a", "first")
        deadline = time.monotonic() + 5
        while not leases.lost and time.monotonic() < deadline:
            time.sleep(0.02)
        assert leases.lost


def test_runs_of_dead_processes_are_abandoned() -> None:
    memory = RunMemory()
    store = MemoryRunStore(memory)
    for run_id, interface in (("dead", "a"), ("gone", "b"), ("living", "c")):
        store.begin_run(RunRecord(run_id, (interface,), "running", NOW, None, "ada", None, "", {"rows": 1}))
    store.acquire("interface:b", "dead", datetime.now(UTC), 3600)
    store.acquire("interface:c", "another", datetime.now(UTC), 3600)
    ours = world(memory, "ours", is_alive=lambda owner: owner != "dead")
    with Leases(ours, ["a"]):
        assert sorted(bury_dead_runs(ours)) == ["dead", "gone"]
    assert {run.id: run.status for run in store.runs(9)} == {
        "dead": "abandoned", "gone": "abandoned", "living": "running",
    }  # fmt: skip
    assert store.holder("interface:b") is None
