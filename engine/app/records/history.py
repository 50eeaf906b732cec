"""Runs that have been."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..checking.check import demand_project
from ..errors import Exit, RefusalError
from ..settings import project_settings
from ..state import run_store, state_paths

if TYPE_CHECKING:
    from engine.run import KeptReject, RunRecord, StepRecord


def list_runs(root: Path, limit: int) -> Sequence[RunRecord]:
    """The newest runs first; none when there is no run state yet (it is not made for that).

    RefusalError when there is no project.
    """
    demand_project(root)
    paths = state_paths(root, project_settings(root).state)
    if not paths.runs.exists():
        return []
    with run_store(paths) as store:
        return store.runs(limit)


def show_run(root: Path, run_id: str) -> tuple[RunRecord, Sequence[StepRecord]]:
    """A run with its steps; `run_id` may be an unambiguous beginning. RefusalError when there is none."""
    demand_project(root)
    paths = state_paths(root, project_settings(root).state)
    if paths.runs.exists():
        with run_store(paths) as store:
            found = store.run(run_id)
        if found is not None:
            return found
    raise RefusalError(Exit.USAGE, f"no run `{run_id}`, or more than one begins so", "`weir runs` lists them")


def list_rejects(root: Path, limit: int) -> Sequence[KeptReject]:
    """The rows that each step refused when it last ran. RefusalError when the tables cannot be read."""
    from engine.duck import read_rejects
    from engine.run import StoreError

    demand_project(root)
    try:
        return read_rejects(state_paths(root, project_settings(root).state).tables, limit)
    except StoreError as error:
        raise RefusalError(Exit.BUSY if error.code == "E610" else Exit.FAILED, error.message, error.hint) from None
