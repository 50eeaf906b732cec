"""What a run is, what it needs of the world, and how it is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from engine.connector import Failure, Mirror, Pace, Read, Writer
from engine.diagnostics import Place
from engine.plan import ConnectionSettings, StepWrites

from .ports.executor import Executor, Json
from .ports.ledger import Comparer, WriteLedger
from .ports.records import (
    BoxLimits,
    BoxResult,
    BoxRunner,
    ConnectionReads,
    Drift,
    InitialRows,
    ReadLedger,
    Reject,
    RunStore,
    Staging,
    TableStore,
)

Status = Literal["succeeded", "failed", "skipped", "stopped"]
"""How a task ended. Skipped: it was not begun. Stopped: the run was cancelled while it went on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one task ended. `code` is the diagnostic code of a failure, `place` where its definition stands.

    `counts` of an extract: rows, requests (without repeated ones), sent (with them), retries, limited; of an import:
    read, inserted, updated, deleted, unchanged, rejected; of a respond: rows. `response` is the file that holds the
    table `result`; `snapshot` a Parquet file. `warnings` are sentences for people. `ends_interface` is set when the
    rest of the interface was left out on purpose. A success with a `failure` is that of an optional table that was not
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


@dataclass(frozen=True, slots=True)
class Exports:
    """What steps that write to a provider need. `writer` makes what sends for a connection. With `only_plan` nothing is
    written; with `expected` (by step) exactly that is, or nothing."""

    comparer: Comparer
    writer: Callable[[ConnectionSettings], Writer]
    ledger: WriteLedger
    only_plan: bool = False
    expected: Mapping[str, StepWrites] | None = None


def _all(settings: ConnectionSettings, reads: Sequence[Read], mirror: Mirror, pace: Pace) -> Sequence[Read]:  # noqa: ARG001
    """Whatever is wanted is read, as if there were no mirror."""
    return reads


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside the plan that a run touches.

    `staging` opens the mirror of a connection; `extraction` names a connection's stage function and its config, which
    holds no secret (`ConnectorError`: the secret cannot be had); `accounts` lists the accounts to read (None stands
    for the key's own), and tells how many requests that took. `fetch` reads the first rows of a box's result.
    `owner` describes this process in leases; `is_alive` says of such a description whether its process may still be
    there. `new_id` makes a run's id. `reads` counts requests; with `over_budget` no read budget ends anything.
    `refresh` says what must be read of what is wanted, given an account's mirror (see `Connector.refresh`).
    With `rebuild`, all rows count as changed. `initial` is written before anything else is done.
    Without `exports` no plan can be run that writes to a provider.
    """

    now: Callable[[], datetime]
    executor: Executor
    staging: Callable[[ConnectionSettings], Staging]
    extraction: Callable[[ConnectionSettings], tuple[str, Mapping[str, Json]]]
    accounts: Callable[[ConnectionSettings, Callable[[int], None]], Sequence[str | None]]
    boxes: BoxRunner
    fetch: Callable[[BoxResult, int], Sequence[tuple[object, ...]]]
    tables: TableStore
    runs: RunStore
    reads: ReadLedger
    directory: Path
    limits: BoxLimits
    owner: str
    is_alive: Callable[[str], bool]
    new_id: Callable[[datetime], str]
    user: str
    commit: str | None
    cancelled: Callable[[], bool]
    parallel: int = 4
    reject_limit: int = 1000
    rebuild: bool = False
    lease_seconds: float = 30.0
    over_budget: bool = False
    exports: Exports | None = None
    initial: tuple[InitialRows, ...] = ()
    refresh: Callable[[ConnectionSettings, Sequence[Read], Mirror, Pace], Sequence[Read]] = _all
