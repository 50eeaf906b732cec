"""A run whose state another process locks for longer than the run waits."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from engine.app.errors import Exit, RefusalError
from engine.app.running.run import run_project
from engine.app.running.world import RunOptions
from engine.app.workspace import Workspace
from engine.run import Event, TaskStarted
from engine.stores import database
from tests.support.processes.command import ROOT, shipped_project, weir


def run_locked_out(project: Path) -> RefusalError:
    """Start a run that finds its state locked from its first task on, and return its refusal."""
    options = RunOptions(isolated=False, environment={}, cancelled=threading.Event())
    state = project / ".weir" / "state.db"
    state.parent.mkdir()
    with closing(sqlite3.connect(state, isolation_level=None, check_same_thread=False)) as other:

        def lock(event: Event) -> None:
            if isinstance(event, TaskStarted) and not other.in_transaction:
                other.execute("BEGIN IMMEDIATE")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(database, "BUSY_SECONDS", 0.2)
            with pytest.raises(RefusalError) as refused:
                run_project(Workspace.open(project), ["payments"], {}, options, lambda _checked, _plan: lock)
    return refused.value


def test_run_that_cannot_write_its_state_is_busy(tmp_path: Path) -> None:
    refusal = run_locked_out(shipped_project(tmp_path / "project"))
    assert refusal.code is Exit.BUSY
    assert refusal.message == "the run state does not answer: database is locked"


def test_next_run_continues_after_the_locking_process_ended(tmp_path: Path) -> None:
    project = shipped_project(tmp_path / "project")
    code = f"from pathlib import Path\nfrom {__name__} import run_locked_out\nrun_locked_out(Path({str(project)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
    weir(project, "run", "payments").succeeded()
    assert "abandoned" in weir(project, "runs").out
