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
    """What one commit did to staging. `removed` counts rows that the read proves gone."""

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
