"""What a server keeps of runs that are over: the newest, and nothing of the others."""

from __future__ import annotations

import gc
import os
import weakref
from pathlib import Path

import pytest

from engine.app.serving.engine import Engine, EngineOptions
from engine.app.workspace import Workspace
from tests.support.serving import make_project


@pytest.mark.parametrize("schedules", [True, False])
def test_runs_that_ended_long_ago_are_forgotten(tmp_path: Path, schedules: bool) -> None:
    root = make_project(tmp_path / "project")
    with Engine(
        Workspace.open(root), EngineOptions(os.environ, isolated=False, schedules=schedules, drain=0)
    ) as engine:
        engine.runs.keep = 1
        stories = []
        for _ in range(4):
            ordered = engine.order("echo", "ada")
            assert ordered.over.wait(60)
            assert ordered.status == "succeeded"
            stories.append(weakref.ref(ordered.story))
        del ordered
        gc.collect()
        assert [each() is None for each in stories[:2]] == [True, True]
