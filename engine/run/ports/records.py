"""What a run asks of the world. Implemented in `duck/` and `stores/`, wired in `app/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final, Literal, Protocol

from engine.connector import Changes, Coverage, Failure, Mirror, MirrorInstant
from engine.graph import Action, Box, MapColumn
from engine.plan import Watermark
from engine.relation import Relation

from .executor import OutputFile


@dataclass(frozen=True, slots=True)
class Drift:
    """Something in the provider's answers that the catalogue does not know or cannot type."""

    table: str
    field: str
    problem: Literal["unknown", "mistyped"]
    rows: int


_NONE: Final = Changes()


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What one commit did to staging. `removed` counts rows that the read proves gone."""

    rows: int
    removed: int
    drift: tuple[Drift, ...]


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """How the write of a row ended. `status` is success, failure (refused) or error (not known). Objects whose row is
    gone have none."""

    row: int | None
    key: str
    status: str
    message: str
    entity_id: str | None
    time: datetime
    op: str
    failure: Failure | None = None
    request: str | None = None


class Staging(Protocol):
    """The mirror of one connection: a DuckDB file that outlives runs, its coverage committed with its rows."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    def load(
        self, files: Sequence[OutputFile], coverage: Sequence[Coverage], read_at: datetime, changes: Changes = _NONE
    ) -> LoadReport:
        """Upsert the pages of spool files (by account and key) and record `coverage`, in one transaction.

        Then, in the same transaction, every row that a complete coverage speaks about (its account, window, filter)
        and that was last read before `read_at` is taken out of sight: where the coverage has no filter it is gone at
        the provider and tombstoned (`_deleted_at`); otherwise it may merely match no longer, so no box sees it until a
        read without a filter tells. A `gathered` coverage takes nothing out of sight. `changes` belong to the same
        transaction: what is gone is tombstoned, and so is what parents that were read anew do not have any more; the
        interval of applied events is moved on.
        """
        ...

    def hold(self, waiting: Callable[[str], None]) -> AbstractContextManager[None]:
        """Keep other runs away from the mirror: what the holder has read, its boxes find as it was.

        While another run has it, `waiting` is called again and again with who that is; what it raises ends the wait.
        """
        ...

    def next_read(self, now: datetime) -> datetime:
        """The `read_at` of a read that begins: `now`, or a moment after all that was ever loaded, should the clock have
        gone back. A row that a read does not bring is told by its earlier `read_at`."""
        ...

    def coverage(self) -> tuple[Coverage, ...]:
        """What is in the file, by table and account."""
        ...

    def keep_outcomes(self, rows: Path, run: str, step: str, outcomes: Sequence[RowOutcome], now: datetime) -> None:
        """How each row of a step that writes went, in place of what the step had before: `weir.outcomes`.

        `rows` is the file of the comparison. Rows without an outcome had nothing to be done, or were refused.
        """
        ...

    def mirror(self, account: str) -> Mirror:
        """What the file holds of one account, for the connector to decide what must be asked for."""
        ...

    def close(self) -> None:
        """Release the file for other processes."""
        ...


@dataclass(frozen=True, slots=True)
class BoxLimits:
    """How much a SQL box may take. `seconds` is wall time."""

    memory_bytes: int
    seconds: float
    threads: int
    temp_bytes: int


@dataclass(frozen=True, slots=True)
class BoxResult:
    """A box's rows, on disk: the table `result` of the DuckDB file at `path`. `relation` is what it has.

    `seen` is the instant of the mirror that a box which reads changed rows was run at. `unknown` are currencies that
    `weir.amount` met and does not know, with how many amounts had them.
    """

    path: Path
    relation: Relation
    rows: int
    seen: MirrorInstant | None = None
    unknown: tuple[tuple[str, int], ...] = ()


class BoxError(Exception):
    """A box did not run: `reason` is for people, `limit` names the limit it hit, `span` the code points in its SQL."""

    def __init__(self, reason: str, *, limit: str | None = None, span: tuple[int, int] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.limit = limit
        self.span = span


class BoxRunner(Protocol):
    """Runs SQL boxes, which are untrusted: they see the staged tables and the Schema and nothing else."""

    def run(self, box: Box, target: Path, limits: BoxLimits, since: MirrorInstant | None = None) -> BoxResult:
        """Write the box's rows to a new file at `target`. Raises `BoxError`; then `target` does not exist.

        Of tables in `changed` the box sees the rows that have changed since then: all of them without `since`, or when
        it does not lead to what the mirror is now.
        """
        ...


@dataclass(frozen=True, slots=True)
class ImportJob:
    """One write into a table of the Schema. `match` pairs (Schema column, source column).

    `watermark` is remembered with the rows, in place of the step's last one. A job that is not `whole` has only rows
    that have changed: what the step refused before stands, as far as these rows do not have its key.
    """

    run_id: str
    step: str
    table: str
    relation: Relation
    key: tuple[str, ...]
    action: Action
    match: tuple[tuple[str, str], ...]
    mapping: tuple[MapColumn, ...]
    reject_limit: int
    snapshot: Path | None
    watermark: Watermark | None = None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be written: its match key, the column, why. Values are shown cut to 100 characters."""

    key: Mapping[str, str]
    column: str
    problem: str


@dataclass(frozen=True, slots=True)
class KeptReject:
    """A row that a step refused when it last ran: where it should have gone, why it did not, and all of it as JSON."""

    run: str
    step: str
    table: str
    key: Mapping[str, object]
    column: str
    problem: str
    row: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. `rejected` counts all misfits; `rejects` holds the first few for the report.

    `unknown` are currencies that expressions of the mapping met (see `BoxResult.unknown`).
    """

    read: int
    inserted: int
    updated: int
    deleted: int
    unchanged: int
    rejected: int
    rejects: tuple[Reject, ...]
    unknown: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class InitialRows:
    """Rows that a table of the Schema holds from the run's beginning on, in place of all that it had. `put` writes them
    to a new file, as a box would."""

    table: str
    relation: Relation
    key: tuple[str, ...]
    put: Callable[[Path], BoxResult]


class TableStore(Protocol):
    """The Schema's tables: a DuckDB file, attached only while it is read or written."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    def apply(self, job: ImportJob, result: BoxResult) -> ImportReport:
        """Write `result` in one transaction: after a failure the table is as it was. The table is made, or widened by
        new columns, as needed; a change that would lose data raises `StoreError`."""
        ...

    def watermark(self, step: str) -> Watermark | None:
        """What the rows of a step's table were made of, if the step reads changed rows."""
        ...

    def close(self) -> None:
        """Release the file."""
        ...


class StoreError(Exception):
    """The store refuses: busy (with the process that holds it), an incompatible table, a doubled key."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class ReadLedger(Protocol):
    """How many requests that read each connection has made, by day."""

    def count_reads(self, connection: str, day: date, requests: int) -> None:
        """Add to what was made on a day."""
        ...

    def reads_since(self, day: date) -> Mapping[str, int]:
        """By connection, what was made on this day and later."""
        ...


class RunStore(Protocol):
    """Run state: runs, steps, leases with fencing tokens. SQLite by default."""

    def acquire(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> int | None:
        """A fencing token for the lease `name`, or None when somebody else holds it and is alive."""
        ...

    def renew(self, name: str, token: int, now: datetime, ttl_seconds: float) -> bool:
        """Prolong the lease; False when it was lost (the run must stop before its next commit)."""
        ...

    def release(self, name: str, token: int) -> None:
        """Give the lease back."""
        ...

    def holder(self, name: str) -> str | None:
        """Who holds the lease, in words ("pid 4711 on build-3, since 10:02"), or None."""
        ...

    def evict(self, name: str, owner: str) -> bool:
        """Free the lease if exactly `owner` holds it, whose process is proven dead; False if not so."""
        ...

    def begin_run(self, run: RunRecord) -> None:
        """Record that a run has started."""
        ...

    def end_step(self, run_id: str, step: StepRecord) -> None:
        """Record how a step ended."""
        ...

    def end_run(
        self,
        run_id: str,
        status: str,
        ended: datetime,
        counts: Mapping[str, int],
        reads: Sequence[ConnectionReads] = (),
    ) -> None:
        """Record how a run ended."""
        ...

    def runs(self, limit: int) -> Sequence[RunRecord]:
        """The newest runs first."""
        ...

    def run(self, run_id: str) -> tuple[RunRecord, Sequence[StepRecord]] | None:
        """One run with its steps; `run_id` may be an unambiguous beginning."""
        ...

    def tracked(self) -> Mapping[tuple[str, str], str]:
        """Values of tracked parameters after the last successful run: (interface, parameter) → value."""
        ...

    def track(self, interface: str, values: Mapping[str, str]) -> None:
        """Remember tracked parameters (called with the end of a successful interface)."""
        ...

    def close(self) -> None:
        """Release the database."""
        ...


@dataclass(frozen=True, slots=True)
class ConnectionReads:
    """What a run asked of a connection: requests that went out (retries included), of which some were retries, and how
    many answers were rate limits. `used` counts all requests of the days that the budget is for, when the run ended.
    Without retries, and beside those for tables: `events` are those for changes (with objects of tables that the run
    does not need but keeps current), `account` those that find out whose key it is and which accounts are connected.
    """

    connection: str
    requests: int
    retries: int
    limited: int
    used: int
    budget: int | None
    events: int = 0
    account: int = 0


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run: `status` is running, succeeded, failed, stopped or abandoned (its process died)."""

    id: str
    interfaces: tuple[str, ...]
    status: str
    started: datetime
    ended: datetime | None
    user: str
    commit: str | None
    plan_hash: str
    counts: Mapping[str, int]
    reads: tuple[ConnectionReads, ...] = ()


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step of a run: `status` is succeeded, failed, skipped or stopped; `message` says why."""

    step: str
    kind: str
    status: str
    started: datetime
    ended: datetime
    counts: Mapping[str, int]
    message: str | None
