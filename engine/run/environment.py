"""What a run needs from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.connector import Mirror, Pace, Read, Writer
from engine.plan import ConnectionSettings, StepWrites

from .ports.boxes import BoxLimits, BoxResult, BoxRunner
from .ports.compare import Comparer
from .ports.executor import Executor, Json
from .ports.ledger import WriteLedger
from .ports.records import ReadLedger, RunStore
from .ports.staging import Staging
from .ports.tables import InitialRows, TableStore


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
    for the key's own) and reports how many requests that took. `fetch` reads the first rows of a box's result.
    `owner` describes this process in leases; `is_alive` decides from such a description whether its process may still
    run. `new_id` makes a run's id. `reads` counts requests; with `over_budget` no read budget ends anything.
    `refresh` decides what must be read of what is wanted, given an account's mirror (see `Connector.refresh`).
    With `rebuild`, all rows count as changed. `initial` is written before anything else. Without
    `exports` a plan that writes to a provider cannot run.
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
