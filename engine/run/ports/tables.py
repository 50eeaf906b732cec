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
