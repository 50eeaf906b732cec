"""The Schema's tables, as a run writes them. Implemented in `duck/schema/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.graph import Action, MapColumn
from engine.plan import Watermark
from engine.relation import Relation

from .boxes import BoxResult


@dataclass(frozen=True, slots=True)
class ImportJob:
    """One write into a table of the Schema. `match` pairs (Schema column, source column).

    `watermark` is stored with the rows and replaces the step's last one. A job that is not `whole` has changed rows
    only: earlier rejects of the step stay, except those with the key of one of these rows.
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
    """A row that a step refused when it last ran: its table, the reason, and the whole row as JSON."""

    run: str
    step: str
    table: str
    key: Mapping[str, object]
    column: str
    problem: str
    row: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The effect of an import. `rejected` counts all refused rows; `rejects` has the first few.

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
    """Rows that replace those of a table of the Schema when the run begins. `put` writes them to a new file, as a box
    does."""

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
        """Write `result` in one transaction: rows, rejects and watermark. After a failure all of them are unchanged.

        The table is created, or widened by new columns and types, as needed. `StoreError`: a change that would lose
        data (E603), a duplicate key (E602), a required column over rows without a value (E604), a mapping that does
        not fit (E605), nothing to match by (E606), a busy store (E610). `testing.table_store_suite` and
        `testing.table_store_durability_suite` prove the rules.
        """
        ...

    def watermark(self, step: str) -> Watermark | None:
        """The watermark stored with the last rows of a step; None for a step that reads all rows."""
        ...

    def close(self) -> None:
        """Release the file."""
        ...


class StoreError(Exception):
    """The store refuses: busy (with the process that holds it), an incompatible table, a duplicate key."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
