"""`weir run` killed at ten points of time: the next run ends with exactly the tables of a run that nobody disturbed."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.effort import a_third
from tests.support.mirror.shop import ServedShops, Shop
from tests.support.processes.command import bare_environment, shipped_project, weir
from tests.support.processes.forks import fork

KILLS = 10
KEY = {"STRIPE_SECRET_KEY": "sk_test_weir_sandbox"}
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


def kill_after(folder: Path, lines: int, seconds: float) -> bool:
    """Start a run, wait until it has printed `lines` events and so long, and kill it; whether it was still there."""
    printed = folder / "printed"
    with printed.open("wb") as out:
        running = fork(folder, ("run", "--format", "json"), bare_environment(KEY), stdout=out.fileno())
    told = b""
    while told.count(b"\n") < lines and b'"run_ended"' not in told and running.poll() is None:
        time.sleep(0.005)
        told = printed.read_bytes()
    time.sleep(seconds)
    running.kill()
    return running.wait() == -signal.SIGKILL


@pytest.fixture(scope="module")
def undisturbed(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, list[Any]]]:
    """How many events an undisturbed run prints, and the tables after it."""
    folder = project(tmp_path_factory.mktemp("undisturbed") / "project", shop)
    told = weir(folder, "run", "--format", "json", environment=KEY).succeeded().out
    expected = tables(folder)
    assert len(expected) >= 3
    assert all(expected.values())
    return told.count("\n"), expected


@pytest.mark.parametrize("first", a_third(range(3)))
def test_run_killed_anywhere_next_run_ends_with_the_same_tables(
    tmp_path: Path, shop: Shop, undisturbed: tuple[int, dict[str, list[Any]]], first: int
) -> None:
    """Each parameter takes every third point of time, from the start of a run to its end, in one project."""
    events, expected = undisturbed
    dice = random.Random(4711 + first)
    folder = project(tmp_path / "project", shop)
    killed = 0
    numbers = range(first, KILLS, 3)
    for number in numbers:
        killed += kill_after(folder, int((number + dice.random()) * events / KILLS), dice.random() * 0.1)
        weir(folder, "run", environment=KEY).succeeded()
        assert tables(folder) == expected
    assert killed >= len(numbers) - 1
    history = weir(folder, "runs", "--format", "json", environment=KEY).succeeded().out.splitlines()
    abandoned = sum(json.loads(line)["status"] == "abandoned" for line in history)
    assert not list((folder / ".weir" / "spool").iterdir())
    assert abandoned >= len(numbers) // 2
