"""How tasks and runs ended, and why a run is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from engine.connector import Failure
from engine.diagnostics import Place
from engine.plan import StepWrites

from .ports.records import ConnectionReads
from .ports.staging import Drift
from .ports.tables import Reject

Status = Literal["succeeded", "failed", "skipped", "stopped"]
"""How a task ended. Skipped: it was not started. Stopped: the run was cancelled during the task."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one task ended. `code` is the diagnostic code of a failure, `place` where its definition stands.

    `counts` of an extract: rows, requests (without repeated ones), sent (with them), retries, limited; of an import:
    read, inserted, updated, deleted, unchanged, rejected; of a respond: rows. `response` is the file that holds the
    table `result`; `snapshot` a Parquet file. `warnings` are sentences for people. `ends_interface` is set when the
    rest of the interface was skipped on purpose. A success with a `failure` is that of an optional table that was not
    read.
    """

    id: str
    kind: str
    title: str
    interface: str | None
    status: Status
    started: datetime
    ended: datetime
    counts: Mapping[str, int] = field(default_factory=dict)
    message: str | None = None
    hint: str | None = None
    code: str | None = None
    place: Place | None = None
    failure: Failure | None = None
    warnings: tuple[str, ...] = ()
    drift: tuple[Drift, ...] = ()
    rejects: tuple[Reject, ...] = ()
    response: Path | None = None
    snapshot: Path | None = None
    ends_interface: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is over. It failed when any task failed, also one whose `on_error` let the others go on."""

    id: str
    interfaces: tuple[str, ...]
    status: Literal["succeeded", "failed", "stopped"]
    started: datetime
    ended: datetime
    plan_hash: str
    outcomes: tuple[Outcome, ...]
    counts: Mapping[str, int]
    writes: tuple[StepWrites, ...] = ()
    """What steps have written to providers, or would write, in the order of the plan."""
    reads: tuple[ConnectionReads, ...] = ()
    """What was asked of each connection."""

    def outcome(self, task: str) -> Outcome | None:
        """How the task with this id ended."""
        return next((outcome for outcome in self.outcomes if outcome.id == task), None)


class RunRefusedError(Exception):
    """A run cannot begin: another one has one of its interfaces (E622). Nothing was done."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
