"""What the suites of a table store need besides the port, and the jobs that they apply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from engine.connector import MirrorInstant
from engine.graph import Action, MapColumn
from engine.plan import Watermark
from engine.relation import INTEGER, TEXT, Column, ColumnType, Relation
from engine.run import BoxResult, ImportJob, ImportReport, KeptReject, TableStore

NOON: Final = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
STEP: Final = "customers.load"
TABLE: Final = "customers"
ID: Final = Column("id", TEXT, required=True)
NAME: Final = Column("name", TEXT, required=True)
VISITS: Final = Column("visits", INTEGER)
BALANCE: Final = Column("balance", ColumnType.parse("decimal(18,2)"))
CUSTOMERS: Final = Relation((ID, NAME, VISITS))
MARK: Final = Watermark(STEP, "run-1", MirrorInstant("mirror", NOON), {"box": "b", "write": "w"})
LATER: Final = replace(MARK, run="run-2", at=MirrorInstant("mirror", NOON + timedelta(minutes=5)))

Row = Sequence[str | None]
"""A row of a box, as texts: the store casts them to the types of its columns."""


class ConnectionLostError(Exception):
    """Raised by an observer of statements: the store loses its database at this point."""


class TableStoreBench(Protocol):
    """A store on data of its own, and access to these data as another program has it."""

    @property
    def store(self) -> TableStore:
        """The store."""
        ...

    def restart(self) -> None:
        """Replace the store by a new one on the same data, as the next process opens it."""
        ...

    def result(self, names: Sequence[str], rows: Sequence[Row]) -> BoxResult:
        """The result of a box with these text columns and rows."""
        ...

    def read(self, table: str, relation: Relation) -> list[tuple[object, ...]]:
        """The rows of a table as a reader finds them now, in any order; none if there is no such table."""
        ...

    def rejects(self) -> Sequence[KeptReject]:
        """The kept rejects of all steps."""
        ...

    def read_snapshot(self, path: Path, relation: Relation) -> list[tuple[object, ...]]:
        """The rows of a snapshot, in any order."""
        ...

    def drop(self, table: str) -> None:
        """Drop a table as another program does."""
        ...

    def observe(self, observer: Callable[[int], None]) -> AbstractContextManager[None]:
        """Call `observer` during `apply` with 0, 1, 2, …: before each statement and after it.

        When it raises `ConnectionLostError`, the connection is lost: the coming statement is not sent, or the answer
        of the last one does not arrive, and no further statement reaches the database.
        """
        ...


def job(action: str = "upsert", relation: Relation = CUSTOMERS, **changes: Any) -> ImportJob:
    """An import into `customers` that maps each column from the box's column of the same name, matched by `id`."""
    made = ImportJob(
        run_id="run-1",
        step=STEP,
        table=TABLE,
        relation=relation,
        key=("id",),
        action=Action(action),
        match=(("id", "id"),),
        mapping=() if action == "delete" else tuple(MapColumn(name, source=name) for name in relation.names),
        reject_limit=100,
        snapshot=None,
    )
    return replace(made, **changes)


def apply(bench: TableStoreBench, made: ImportJob, *rows: Row, names: Sequence[str] | None = None) -> ImportReport:
    """Apply a job to these rows. Their columns are those of the job's relation unless `names` are given."""
    return bench.store.apply(made, bench.result(names or made.relation.names, rows))


def table(bench: TableStoreBench, relation: Relation = CUSTOMERS) -> list[tuple[object, ...]]:
    """The rows of `customers`, sorted."""
    return sorted(bench.read(TABLE, relation), key=repr)


def refused(bench: TableStoreBench) -> list[tuple[str, Mapping[str, object], str]]:
    """Run, key and column of each kept reject."""
    return [(reject.run, reject.key, reject.column) for reject in bench.rejects()]


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    """Inserted, updated, deleted, unchanged, rejected."""
    return report.inserted, report.updated, report.deleted, report.unchanged, report.rejected
