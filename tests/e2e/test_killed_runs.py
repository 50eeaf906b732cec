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
    command = [sys.executable, "-m", "engine.web.sandbox", "--port", "0", "--customers", "60", "--frozen"]
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


def kill_after(folder: Path, environment: dict[str, str], seconds: float) -> int:
    """Start a run and kill it; the exit code, which is 0 when it was faster."""
    child = subprocess.Popen(
        [str(WEIR), "run"], cwd=folder, env={**os.environ, **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        return child.wait()


@pytest.mark.slow
def test_a_run_that_was_killed_is_made_good_by_the_next(tmp_path: Path, sandbox: dict[str, str]) -> None:
    environment = {"STRIPE_SECRET_KEY": sandbox["key"]}
    undisturbed = project(tmp_path / "undisturbed", sandbox)
    began = time.monotonic()
    weir(undisturbed, "run", environment=environment).succeeded()
    whole = time.monotonic() - began
    expected = tables(undisturbed)
    assert len(expected) >= 3
    assert all(expected.values())

    dice = random.Random(4711)
    killed = 0
    for number in range(MOMENTS):
        folder = project(tmp_path / f"killed{number}", sandbox) if number % 4 == 0 else folder  # noqa: F821
        start, width = 0.2 * whole, 0.8 * whole / MOMENTS
        killed += kill_after(folder, environment, start + (number + dice.random()) * width) == -signal.SIGKILL
        weir(folder, "run", environment=environment).succeeded()
        assert tables(folder) == expected
    assert killed >= MOMENTS // 2
    weir(folder, "run", environment=environment).succeeded()
    assert tables(folder) == expected
    history = json.loads(weir(folder, "runs", "--format", "json", environment=environment).succeeded().out)
    assert "abandoned" in json.dumps(history)
