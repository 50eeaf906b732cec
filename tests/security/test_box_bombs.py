"""SQL boxes end within their limits, whatever they request."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from engine.duck.boxes.isolated import IsolatedBoxRunner
from engine.duck.boxes.runner import DuckBoxRunner
from engine.relation import INTEGER, TEXT
from engine.run import BoxError, BoxLimits
from tests.support.duck.staged import box
from tests.support.security.bombs import BOMBS, DEEP

LIMITS = BoxLimits(memory_bytes=256 << 20, seconds=0.3, threads=1, temp_bytes=32 << 20)
GRACE_SECONDS = 0.7
SLACK_SECONDS = 4.0


def shown(bomb: str) -> str:
    return bomb[:60]


@pytest.mark.parametrize("bomb", [*BOMBS, *DEEP], ids=shown)
def test_child_process_stops_every_bomb(bomb: str, tmp_path: Path) -> None:
    runner = IsolatedBoxRunner({}, {}, tmp_path / "store.duckdb", {}, grace_seconds=GRACE_SECONDS)
    started = time.monotonic()
    with pytest.raises(BoxError) as raised:
        runner.run(box(bomb, ("value", TEXT), scope=("schema",)), tmp_path / "result.duckdb", LIMITS)
    assert raised.value.limit is not None
    assert time.monotonic() - started < LIMITS.seconds + SLACK_SECONDS
    assert "exit code" not in raised.value.reason
    assert "columns, expected" not in raised.value.reason
    assert list(tmp_path.iterdir()) == []


def test_child_process_has_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIR_CANARY", "x")
    runner = IsolatedBoxRunner({}, {}, tmp_path / "store.duckdb", {})
    made = box("SELECT 1 AS n", ("n", INTEGER), scope=("schema",))
    assert runner.run(made, tmp_path / "result.duckdb", LIMITS).rows == 1
    assert os.environ["WEIR_CANARY"] == "x"


# DuckDB stops these itself, at an interrupt or a memory limit; all others need the child process.
IN_PROCESS = BOMBS[:7]


@pytest.mark.parametrize("bomb", IN_PROCESS, ids=shown)
def test_in_process_runner_stops_ordinary_bombs(bomb: str, tmp_path: Path) -> None:
    runner = DuckBoxRunner({}, {}, tmp_path / "store.duckdb", {})
    started = time.monotonic()
    with pytest.raises(BoxError) as raised:
        runner.run(box(bomb, ("value", TEXT), scope=("schema",)), tmp_path / "result.duckdb", LIMITS)
    assert raised.value.limit is not None
    assert time.monotonic() - started < LIMITS.seconds + SLACK_SECONDS
    assert list(tmp_path.iterdir()) == []
