"""The mirror of one connection: a DuckDB file whose rows and coverage are committed together."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from engine.connector import Changes, Coverage, Gap, Mirror, MirrorInstant, SourceCatalogue, SourceTable
from engine.run import Drift, LoadReport, OutputFile, RowOutcome, StoreError

from ..files import attach, holding, reading, writing
from ..instances import Terms, own_instance
from .changes import bury, bury_left_behind
from .coverage import forget_coverage, make_coverage_tables, read_coverage, record_coverage, record_drift
from .events import demand_identity, has_events, make_event_tables, read_gaps, record_events
from .file import begin_change, read_file
from .ingest import ingest
from .mirror import read_mirror
from .outcomes import keep_outcomes, make_outcome_table
from .sweep import sweep
from .tables import prepare_table

_DATABASE = "staging"
_NONE = Changes()


@dataclass(frozen=True, slots=True)
class StagingLimits:
    """What a load may use of the machine. `memory` is a size as DuckDB writes it ("512MB")."""

    memory: str = "256MB"
    threads: int = 1


class DuckStaging:
    """`Staging` in the DuckDB file at `path`, with a table for each table of the catalogue that was ever loaded.

    The file is open only during a call, and callers of all threads and processes wait for each other. Tables are in
    schema `main`, named as in the catalogue; `weir.coverage` and `weir.drift` describe what is in them.
    With `accept_deletes`, a load may find any number of rows gone.
    """

    def __init__(
        self,
        path: Path,
        catalogue: SourceCatalogue,
        limits: StagingLimits | None = None,
        *,
        accept_deletes: bool = False,
    ) -> None:
        self._path = path
        self._accept_deletes = accept_deletes
        self._catalogue = catalogue
        self._limits = limits or StagingLimits()

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def load(
        self, files: Sequence[OutputFile], coverage: Sequence[Coverage], read_at: datetime, changes: Changes = _NONE
    ) -> LoadReport:
        """See `Staging.load`. After an error the file is as it was.

        KeyError: a table that the catalogue does not have. `SpoolError`: a spool file that was cut short. `StoreError`:
        E610 for a busy file, E611 for pages that cannot be stored.
        """
        timestamp = read_at.astimezone(UTC).replace(tzinfo=None)
        loads: dict[str, list[OutputFile]] = defaultdict(list)
        for file in files:
            loads[file.bucket].append(file)
        names = {*loads, *(each.table for each in coverage), *_named(changes)}
        tables = {name: self._catalogue.tables[name] for name in names}
        with self._open() as connection, _refusals(self._path), _transaction(connection):
            make_coverage_tables(connection)
            make_event_tables(connection)
            make_outcome_table(connection)
            changed_at = begin_change(connection, timestamp)
            if changes.identity is not None:
                demand_identity(connection, changes.identity, self._path.name)
            rows = 0
            for name in sorted(tables):
                prepare_table(connection, tables[name], changed_at)
                if loads[name]:
                    rows += ingest(connection, tables[name], loads[name], timestamp, changed_at)
            for claim in changes.events:
                for name in claim.forget:  # before what this read claims of the same tables
                    forget_coverage(connection, claim.account, name)
            removed = self._apply_coverage(connection, tables, coverage, timestamp, changed_at)
            removed += self._apply_changes(connection, tables, changes, timestamp, changed_at)
            drift = _united_drift(files)
            record_drift(connection, drift, timestamp)
        return LoadReport(rows, removed, drift)

    def hold(self, waiting: Callable[[str], None]) -> AbstractContextManager[None]:
        """See `Staging.hold`. The lock is released when its process dies."""
        return holding(self._path.with_name(f"{self._path.name}.run"), waiting)

    def coverage(self) -> tuple[Coverage, ...]:
        """What is in the file, by table and account."""
        if not self._path.exists():
            return ()
        with self._looking() as connection:
            return read_coverage(connection)

    def mirror(self, account: str) -> Mirror:
        """See `Staging.mirror`."""
        if not self._path.exists():
            return Mirror(account)
        with self._looking() as connection:
            return read_mirror(connection, self._catalogue, account)

    def mirrors(self) -> tuple[Mirror, ...]:
        """The mirror of each account in the file, in order of account."""
        if not self._path.exists():
            return ()
        with self._looking() as connection:
            accounts = sorted({each.account for each in read_coverage(connection)})
            return tuple(read_mirror(connection, self._catalogue, account) for account in accounts)

    def position(self) -> MirrorInstant | None:
        """The identity of the file and the timestamp of its latest change; None before the first load."""
        if not self._path.exists():
            return None
        with self._looking() as connection:
            return read_file(connection)

    def next_read(self, now: datetime) -> datetime:
        """See `Staging.next_read`."""
        known = self.position()  # no row was read later than at the latest change
        return now if known is None or known.changed_at < now else known.changed_at + timedelta(microseconds=1)

    def gaps(self, account: str) -> tuple[Gap, ...]:
        """Events of an account that could not be read, the oldest first; none where none were followed."""
        with self._looking() as connection:
            return read_gaps(connection, account) if has_events(connection) else ()

    def keep_outcomes(self, rows: Path, run: str, step: str, outcomes: Sequence[RowOutcome], now: datetime) -> None:
        """See `Staging.keep_outcomes`."""
        with self._open("export_rows") as connection, _refusals(self._path):
            attach(connection, rows, "export_rows", read_only=True)
            with _transaction(connection):
                make_coverage_tables(connection)
                make_event_tables(connection)
                keep_outcomes(connection, run, step, outcomes, now)

    def close(self) -> None:
        """Nothing is held between calls."""

    def _apply_coverage(
        self,
        connection: duckdb.DuckDBPyConnection,
        tables: dict[str, SourceTable],
        coverage: Sequence[Coverage],
        read_at: datetime,
        changed_at: datetime,
    ) -> int:
        removed = 0
        claims: list[tuple[Coverage, bool]] = []
        for alike in _alike(coverage):
            first, gone = alike[0], 0
            if first.complete and not first.gathered:
                asked = self._accept_deletes
                gone = sweep(connection, tables[first.table], alike, read_at, changed_at, accept_deletes=asked)
            claims += [(each, gone > 0 and each.where != ((),)) for each in alike]
            removed += gone
        record_coverage(connection, claims, read_at=read_at)
        return removed

    @staticmethod
    def _apply_changes(
        connection: duckdb.DuckDBPyConnection,
        tables: dict[str, SourceTable],
        changes: Changes,
        read_at: datetime,
        changed_at: datetime,
    ) -> int:
        removed = sum(bury(connection, tables[gone.table], gone, read_at, changed_at) for gone in changes.gone)
        removed += sum(bury_left_behind(connection, renewed, read_at, changed_at) for renewed in changes.renewed)
        for claim in changes.events:
            record_events(connection, claim, read_at)
        return removed

    @contextlib.contextmanager
    def _looking(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The file, to be read only. `StoreError` E610 when it stays busy."""
        terms = Terms(self._spill, memory=None)
        with reading([self._path]), own_instance(terms, _DATABASE) as connection:
            attach(connection, self._path, _DATABASE, read_only=True)
            connection.execute(f"USE {_DATABASE}")
            yield connection

    @contextlib.contextmanager
    def _open(self, *others: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """The file, to be written. `others` are databases that are attached besides, to be let go of at the end."""
        terms = Terms(self._spill, self._limits.memory, self._limits.threads, compression="zstd")
        with writing(self._path), own_instance(terms, _DATABASE, *others) as connection:
            attach(connection, self._path, _DATABASE, read_only=False)
            connection.execute(f"USE {_DATABASE}")
            yield connection

    @property
    def _spill(self) -> Path:
        return self._path.with_name(f"{self._path.name}.tmp")


def _alike(coverage: Sequence[Coverage]) -> Iterator[list[Coverage]]:
    """Windows that can be swept at once: whole reads of one account's table that come one behind the other."""
    alike: list[Coverage] = []
    for each in coverage:
        if alike and not (each.where == ((),) and _sort(each) == _sort(alike[0])):
            yield alike
            alike = []
        alike.append(each)
    if alike:
        yield alike


def _sort(coverage: Coverage) -> tuple[object, ...]:
    return coverage.account, coverage.table, coverage.where, coverage.complete, coverage.gathered


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        line = str(error).split("\n", 1)[0]
        raise StoreError("E611", f"pages could not be stored in `{path.name}`: {line}") from error


@contextlib.contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        # DuckDB itself rolls back after some errors; closing the connection drops whatever is still open.
        with contextlib.suppress(duckdb.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _named(changes: Changes) -> set[str]:
    """The tables that changes name."""
    gone = {each.table for each in changes.gone}
    return gone.union(*({each.table, each.parent} for each in changes.renewed))


def _united_drift(files: Sequence[OutputFile]) -> tuple[Drift, ...]:
    """The files' drift, one entry for each table, field and problem."""
    found: dict[tuple[str, str, str], Drift] = {}
    for file in files:
        entries = file.meta.get("drift")
        for entry in entries if isinstance(entries, Sequence) and not isinstance(entries, str) else ():
            if not isinstance(entry, Sequence) or isinstance(entry, str):
                continue
            field, problem, rows = str(entry[0]), str(entry[1]), entry[2]
            drift = Drift(
                file.bucket,
                field,
                "mistyped" if problem == "mistyped" else "unknown",
                rows if isinstance(rows, int) else 0,
            )
            key = (drift.table, field, drift.problem)
            found[key] = replace(drift, rows=drift.rows + found[key].rows) if key in found else drift
    return tuple(found[key] for key in sorted(found))
