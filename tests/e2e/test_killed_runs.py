"""`weir run` killed at ten moments: the next run ends with exactly the tables of a run that nobody disturbed."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.mirror.shop import ServedShops, Shop
from tests.support.processes.command import shipped_project
from tests.support.processes.forks import Nursery, Running

MOMENTS = 10
LIMITS = "limits: {requests_per_second: 5000}\n"


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """A Stripe that stands still, so that two runs read the same."""
    with ExitStack() as stack:
        shops = ServedShops()
        stack.callback(shops.close)
        yield shops.open(customers=40)


def project(folder: Path, shop: Shop) -> Path:
    folder.mkdir()
    shipped_project(folder)
    connection = folder / "connections" / "stripe_main.yaml"
    connection.write_text(connection.read_text().replace("base_url: sandbox\n", f"base_url: {shop.url}\n{LIMITS}"))
    return folder


def tables(folder: Path) -> dict[str, list[Any]]:
    """Every table of the Schema with its rows in order."""
    with duckdb.connect(str(folder / ".weir" / "store.duckdb"), read_only=True) as connection:
        names = connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'").fetchall()
        return {name: connection.execute(f'SELECT * FROM "{name}" ORDER BY ALL').fetchall() for (name,) in names}


def kill_after(nursery: Nursery, folder: Path, lines: int, seconds: float) -> bool:
    """Start a run, let it tell `lines` events, wait so long, and kill it; whether it was still there."""
    running = nursery.start(folder, "run", "--format", "json")
    wait_for(running, lines)
    time.sleep(seconds)
    os.kill(running.pid, signal.SIGKILL)
    return nursery.wait(running) == -signal.SIGKILL


def wait_for(running: Running, lines: int) -> None:
    """Until a run has told so many events, the last of which comes at its end."""
    told = b""
    while told.count(b"\n") < lines and b'"run_ended"' not in told:
        time.sleep(0.005)
        told = running.out.read_bytes() if running.out.exists() else b""


@pytest.mark.slow
def test_a_run_that_was_killed_is_made_good_by_the_next(tmp_path: Path, shop: Shop) -> None:
    with Nursery({"STRIPE_SECRET_KEY": "sk_test_weir_sandbox"}) as nursery:
        undisturbed = project(tmp_path / "undisturbed", shop)
        told = nursery.succeed(undisturbed, "run", "--format", "json")
        expected = tables(undisturbed)
        assert len(expected) >= 3
        assert all(expected.values())

        dice = random.Random(4711)
        killed = 0
        folders = []
        for number in range(MOMENTS):
            if number % 3 == 0:
                folders.append(project(tmp_path / f"killed{number}", shop))
            events = (number + dice.random()) * len(told) / MOMENTS
            killed += kill_after(nursery, folders[-1], int(events), dice.random() * 0.1)
            nursery.succeed(folders[-1], "run")
            assert tables(folders[-1]) == expected
        assert killed >= MOMENTS - 3
        abandoned = 0
        for folder in folders:
            history = nursery.succeed(folder, "runs", "--format", "json")
            abandoned += sum(json.loads(line)["status"] == "abandoned" for line in history)
            assert not list((folder / ".weir" / "spool").iterdir())
        assert abandoned >= MOMENTS // 2
