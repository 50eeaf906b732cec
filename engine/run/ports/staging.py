"""The mirror of a connection, as a run uses it. Implemented in `duck/staging/`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal, Protocol

from engine.connector import Changes, Coverage, Failure, Mirror

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
    """The effect of one load on staging. `removed` counts rows that the read proves deleted."""

    rows: int
    removed: int
    drift: tuple[Drift, ...]


class RowStatus(StrEnum):
    """The outcome of a row of a step that writes to a provider: in `weir.outcomes`, and in the counts of a run."""

    UNCHANGED = "unchanged"  # nothing differed, or an earlier run made the call
    DONE = "done"
    REFUSED = "refused"  # by Weir, before anything was sent
    FAILED = "failed"  # refused by the provider
    UNKNOWN = "unknown"  # sent, with an unknown outcome
    UNSENT = "unsent"  # the step ended first


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """The outcome of a planned write. `row` is the position of its row in the box, None for an object whose row is
    gone."""

    row: int | None
    key: str
    status: RowStatus
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

        In the same transaction, every row within a complete coverage (its account, window, filter) that was last read
        before `read_at` is hidden. Without a filter it is deleted at the provider and gets a tombstone (`_deleted_at`);
        with one it may merely no longer match, so no box sees it until a read without a filter decides. A `gathered`
        coverage hides nothing. `changes` are applied in the same transaction: deleted rows, and children that a parent
        no longer has after a new read, get tombstones, and the interval of applied events advances.
        """
        ...

    def hold(self, waiting: Callable[[str], None]) -> AbstractContextManager[None]:
        """Reserve the mirror for this run: its boxes find what it has read, unchanged.

        While another run has the mirror, `waiting` is called repeatedly with that run's process; an exception that it
        raises ends the wait.
        """
        ...

    def next_read(self, now: datetime) -> datetime:
        """The `read_at` of a read that begins: `now`, or later than all that was loaded, if the clock went back. An
        earlier `read_at` identifies rows that the read did not return."""
        ...

    def coverage(self) -> tuple[Coverage, ...]:
        """The coverage of the file, by table and account."""
        ...

    def keep_outcomes(self, rows: Path, run: str, step: str, outcomes: Sequence[RowOutcome], now: datetime) -> None:
        """Store the outcome of each row of a step that writes, in place of those of its last run: `weir.outcomes`.

        `rows` is the file of the comparison. Rows without an outcome are unchanged or were refused.
        """
        ...

    def mirror(self, account: str) -> Mirror:
        """The content of the file for one account, from which the connector decides what to request."""
        ...

    def close(self) -> None:
        """Release the file for other processes."""
        ...
