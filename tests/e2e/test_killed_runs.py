"""`weir run` killed at ten moments: the next run ends with exactly the tables of a run that nobody disturbed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from .command import WEIR, shipped_project, weir

MOMENTS = 10


@pytest.fixture(scope="module")
def sandbox() -> Iterator[dict[str, str]]:
    """A Stripe that stands still, so that two runs read the same."""
    command = [sys.executable, "-m", "engine.web.sandbox", "--port", "0", "--customers", "40", "--frozen"]
    child = subprocess.Popen([*command, "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdin is not None
    try:
        yield json.loads(child.stdout.readline())
    finally:
        child.stdin.close()
        child.wait(20)
        child.stdout.close()


def project(folder: Path, sandbox: dict[str, str]) -> Path:
    folder.mkdir()
    shipped_project(folder)
    connection = folder / "connections" / "stripe_main.yaml"
    connection.write_text(connection.read_text().replace("base_url: sandbox", f"base_url: {sandbox['url']}"))
    return folder


def tables(folder: Path) -> dict[str, list[Any]]:
    """Every table of the Schema with its rows in order."""
    with duckdb.connect(str(folder / ".weir" / "store.duckdb"), read_only=True) as connection:
        names = connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'").fetchall()
        return {name: connection.execute(f'SELECT * FROM "{name}" ORDER BY ALL').fetchall() for (name,) in names}


def kill_after(folder: Path, environment: dict[str, str], lines: int, seconds: float) -> bool:
    """Start a run, let it tell `lines` events, wait so long, and kill it; whether it was still there."""
    child = subprocess.Popen(
        [str(WEIR), "run", "--format", "json"], cwd=folder, env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert child.stdout is not None
    for _ in range(lines):
        child.stdout.readline()
    time.sleep(seconds)
    child.send_signal(signal.SIGKILL)
    child.stdout.close()
    return child.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_a_run_that_was_killed_is_made_good_by_the_next(tmp_path: Path, sandbox: dict[str, str]) -> None:
    environment = {"STRIPE_SECRET_KEY": sandbox["key"]}
    undisturbed = project(tmp_path / "undisturbed", sandbox)
    told = weir(undisturbed, "run", "--format", "json", environment=environment).succeeded().out.splitlines()
    expected = tables(undisturbed)
    assert len(expected) >= 3
    assert all(expected.values())

    dice = random.Random(4711)
    killed = 0
    folders = []
    for number in range(MOMENTS):
        if number % 3 == 0:
            folders.append(project(tmp_path / f"killed{number}", sandbox))
        events = (number + dice.random()) * len(told) / MOMENTS
        killed += kill_after(folders[-1], environment, int(events), dice.random() * 0.1)
        weir(folders[-1], "run", environment=environment).succeeded()
        assert tables(folders[-1]) == expected
    assert killed >= MOMENTS - 3
    abandoned = 0
    for folder in folders:
        history = weir(folder, "runs", "--format", "json", environment=environment).succeeded().out.splitlines()
        abandoned += sum(json.loads(line)["status"] == "abandoned" for line in history)
        assert not list((folder / ".weir" / "spool").iterdir())
    assert abandoned >= MOMENTS // 2
