"""One run of the shipped project for all tests of a session."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes.command import Done, shipped_project, weir

Ran = Callable[[Path], Done]


@pytest.fixture(scope="session")
def copy_of_first_run(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Makes a copy of the shipped project after one `weir run` on the embedded sandbox; gives what the run printed."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    kept, printed = shared / "first_run", shared / "first_run.done"
    with (shared / "first_run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one worker makes it
        if not printed.exists():
            done = weir(shipped_project(kept), "run").succeeded()
            printed.write_bytes(pickle.dumps(done))

    def copy(folder: Path) -> Done:
        shutil.copytree(kept, folder)
        return pickle.loads(printed.read_bytes())

    return copy
