"""Runs that have been."""

from __future__ import annotations

from collections.abc import Sequence

from engine import duck
from engine.run import KeptReject, RunRecord, StepRecord, StoreError

from ..errors import Exit, RefusalError
from ..workspace import Workspace


def list_runs(workspace: Workspace, limit: int) -> Sequence[RunRecord]:
    """The newest runs first; none when there is no run state yet (it is not made for that).

    RefusalError when there is no project.
    """
    workspace.demand_project()
    return workspace.runs().runs(limit) if workspace.has_runs else []


def show_run(workspace: Workspace, run_id: str) -> tuple[RunRecord, Sequence[StepRecord]]:
    """A run with its steps; `run_id` may be an unambiguous beginning. RefusalError when there is none."""
    workspace.demand_project()
    found = workspace.runs().run(run_id) if workspace.has_runs else None
    if found is not None:
        return found
    raise RefusalError(Exit.USAGE, f"no run `{run_id}`, or more than one begins so", "`weir runs` lists them")


def list_rejects(workspace: Workspace, limit: int) -> Sequence[KeptReject]:
    """The rows that each step refused when it last ran. RefusalError when the tables cannot be read."""

    workspace.demand_project()
    try:
        return duck.read_rejects(workspace.paths.tables, limit)
    except StoreError as error:
        raise RefusalError(Exit.BUSY if error.code == "E610" else Exit.FAILED, error.message, error.hint) from None
