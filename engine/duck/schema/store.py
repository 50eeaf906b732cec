"""The Schema's tables: one DuckDB file, open only during a commit."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb

from engine.plan import Watermark
from engine.run import BoxLimits, BoxResult, ImportJob, ImportReport, Reject, StoreError

from ..columns import catalogued_columns
from ..files import attach, writing
from ..instances import Terms, own_instance
from ..problems import Problem, choose
from ..quoting import quote_literal, quote_name
from . import rejects
from .expressions import evaluate_expressions, first_line
from .merge import Merged, merge_rows
from .shape import STORE, address
from .stage import SOURCE, Staged, expression_column, stage_rows
from .watermarks import read_watermarks, record_watermark

_SHOWN_REJECTS: Final = 10
_SHOWN_CHARACTERS: Final = 100
_EXPRESSION_SECONDS: Final = 600.0
_SPILL_BYTES: Final = 20 * 2**30


class DuckTableStore:
    """Implements `engine.run.TableStore` on a file that is made when it is first written.

    Rows are mapped and checked before the file is opened; then one transaction changes the table, the list of rejects
    and what the step has seen (`weir.watermarks`). `weir.rejects` has those of the newest run of each step; of a step
    that reads changed rows, those of all runs since it read all of them. A reader of the file finds the declared
    columns of a table by name; other columns are what earlier versions of the Schema had.
    """

    def __init__(self, path: Path, *, memory_bytes: int = 512 * 2**20, threads: int = 2) -> None:
        self._path = path
        self._limits = BoxLimits(memory_bytes, seconds=_EXPRESSION_SECONDS, threads=threads, temp_bytes=_SPILL_BYTES)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def watermark(self, step: str) -> Watermark | None:
        """See `TableStore.watermark`. `StoreError` E610: busy."""
        return read_watermarks(self._path).get(step)

    def close(self) -> None:
        """Nothing stays open between two commits."""

    def apply(self, job: ImportJob, result: BoxResult) -> ImportReport:
        """See `TableStore.apply`. Codes of `StoreError`: E602 duplicate key, E603 a column's type, E604 a
        required column, E605 the mapping or the file, E606 nothing to match by, E610 busy."""
        expressions = [
            (expression_column(index), mapped.expr)
            for index, mapped in enumerate(job.mapping)
            if mapped.expr is not None
        ]
        if not expressions:
            return self._apply(job, result.path)
        mapped_file = result.path.with_name(f"{result.path.stem}.mapped.duckdb")
        spill = result.path.with_name(f"{result.path.name}.spill")
        try:
            mapped_file.unlink(missing_ok=True)
            unknown = evaluate_expressions(result.path, mapped_file, expressions, self._limits, spill)
            return replace(self._apply(job, mapped_file), unknown=unknown)
        finally:
            shutil.rmtree(spill, ignore_errors=True)
            mapped_file.unlink(missing_ok=True)

    def _apply(self, job: ImportJob, source: Path) -> ImportReport:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._connection(source) as connection:
                staged = stage_rows(connection, job)
                with writing(self._path):
                    attach(connection, self._path, STORE, read_only=False)
                    try:
                        return _commit(connection, job, staged)
                    finally:
                        with suppress(duckdb.Error):
                            connection.execute(f"DETACH {STORE}")
        except duckdb.Error as error:
            raise StoreError("E605", f"`{job.table}` could not be written: {first_line(error)}") from error

    @contextmanager
    def _connection(self, source: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        spill = source.with_name(f"{source.name}.spill")
        terms = Terms(spill, f"{self._limits.memory_bytes}B", self._limits.threads)
        try:
            with own_instance(terms, STORE, "box") as connection:
                connection.execute(f"ATTACH {quote_literal(str(source))} AS box (READ_ONLY)")
                yield connection
        finally:
            shutil.rmtree(spill, ignore_errors=True)


def _commit(connection: duckdb.DuckDBPyConnection, job: ImportJob, staged: Staged) -> ImportReport:
    """Merge, keep the rejects, write the snapshot; all of it or nothing."""
    connection.execute("BEGIN")
    try:
        is_new = not catalogued_columns(connection, STORE, job.table)
        merged = merge_rows(connection, job, staged)
        rejected, shown = _keep_rejects(connection, job, staged, merged)
        record_watermark(connection, job, is_new=is_new)
        unfinished = _write_snapshot(connection, job)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(duckdb.Error):
            connection.execute("ROLLBACK")
        raise
    if unfinished is not None and job.snapshot is not None:
        unfinished.replace(job.snapshot)
    return ImportReport(
        read=staged.rows,
        inserted=merged.inserted,
        updated=merged.updated,
        deleted=merged.deleted,
        unchanged=merged.unchanged,
        rejected=rejected,
        rejects=shown,
    )


def _write_snapshot(connection: duckdb.DuckDBPyConnection, job: ImportJob) -> Path | None:
    """The table as it will be after the commit, as Parquet beside its final place."""
    if job.snapshot is None:
        return None
    job.snapshot.parent.mkdir(parents=True, exist_ok=True)
    unfinished = job.snapshot.with_name(f"{job.snapshot.name}.unfinished")
    names = ", ".join(quote_name(column.name) for column in job.relation)
    connection.execute(
        f"COPY (SELECT {names} FROM {address(job.table)}) TO {quote_literal(str(unfinished))} (FORMAT parquet)"
    )
    return unfinished


def _keep_rejects(
    connection: duckdb.DuckDBPyConnection, job: ImportJob, staged: Staged, merged: Merged
) -> tuple[int, tuple[Reject, ...]]:
    """Write the rejects of this step (up to `job.reject_limit`) in place of those that it had for the same rows."""
    rejected = int(connection.execute("SELECT count(DISTINCT row) FROM rejected").fetchall()[0][0])
    present = catalogued_columns(connection, STORE, "rejects", "weir")
    if present:
        again = "" if job.whole else f" AND key IN (SELECT {_reject_key(staged)} FROM {SOURCE})"
        connection.execute(f"DELETE FROM {rejects.TABLE} WHERE step = ?{again}", [job.step])
    if not rejected:
        return 0, ()
    if not present:
        connection.execute(rejects.STATEMENTS["make_table"])
    rows = _reject_rows(staged, merged)
    connection.execute(
        f"INSERT INTO {rejects.TABLE} SELECT ?, ?, ?, key, column_name, problem, row FROM ({rows} LIMIT ?)",
        [job.run_id, job.step, job.table, job.reject_limit],
    )
    some = connection.execute(f"SELECT keys, column_name, problem FROM ({rows} LIMIT {_SHOWN_REJECTS})").fetchall()
    names = [column for column, _ in staged.key_sources]
    return rejected, tuple(
        Reject(dict(zip(names, keys or (), strict=False)), str(column), str(problem)) for keys, column, problem in some
    )


def _shown(sql: str) -> str:
    """A value as text for people, cut."""
    return f"coalesce(left(CAST({sql} AS VARCHAR), {_SHOWN_CHARACTERS}), 'NULL')"


def _problem_text(problem: Problem) -> str:
    """SQL of the sentence about the value."""
    quoted = f"'`' || {_shown(problem.shown)} || '` ' || " if problem.shown is not None else ""
    return f"{quoted}{quote_literal(problem.text)}"


def _reject_key(staged: Staged) -> str:
    """What a row of the box is matched by, as JSON for people."""
    pairs = ", ".join(f"{quote_literal(column)}, {_shown(source)}" for column, source in staged.key_sources)
    return f"json_object({pairs})"


def _reject_rows(staged: Staged, merged: Merged) -> str:
    """SQL for the refused rows in the order of the box: key, column, problem, row."""

    columns = choose("_weir_bad", (quote_literal(problem.subject) for problem in merged.problems))
    problems = choose("_weir_bad", map(_problem_text, merged.problems))
    keys = ", ".join(_shown(source) for _, source in staged.key_sources)
    return (
        f"SELECT {_reject_key(staged)} AS key, CAST([{keys}] AS VARCHAR[]) AS keys, "
        f"{columns} AS column_name, {problems} AS problem, "
        # The box may call a column as it likes: all other names here are such that none will be the same.
        f"to_json(_weir_row) AS row FROM (SELECT _weir_row, _weir_bad, _weir_number, _weir_row.* "
        f"FROM (SELECT _weir_source AS _weir_row, _weir_source.rowid AS _weir_number FROM {SOURCE} _weir_source) "
        f"JOIN (SELECT row AS _weir_found, min(bad) AS _weir_bad FROM rejected GROUP BY row) "
        f"ON _weir_found = _weir_number) ORDER BY _weir_number"
    )
