"""Compares the rows of exports and calls with the mirror."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from engine.connector import SourceCatalogue
from engine.graph import Action, Call, Export, WriteColumn
from engine.run import (
    BoxLimits,
    BoxResult,
    CallJob,
    CompareJob,
    Comparison,
    StoreError,
)

from ..files import STORAGE_VERSION, attach, reading
from ..instances import Terms, own_instance
from ..problems import Problem
from ..quoting import quote_literal
from ..schema.expressions import evaluate_expressions, first_line
from ..schema.stage import SOURCE, expression_column
from ..staging.outcomes import ROWS
from .answers import read_answers
from .calls import plan_calls
from .compare import MIRROR, compare, find_objects, refusal_text
from .plan import plan_writes
from .rows import DesiredRows


class DuckExporter:
    """Implements `engine.run.Comparer` over the mirrors of `catalogues`' connections."""

    def __init__(self, catalogues: Mapping[str, SourceCatalogue], limits: BoxLimits) -> None:
        self._catalogues = catalogues
        self._limits = limits

    def compare(self, job: CompareJob, result: BoxResult) -> Comparison:
        """See `Comparer.compare`."""
        step = job.step
        table = self._catalogues[step.connection].tables[step.entity]
        with self._opened(result, step.columns, job.staging, job.target, step.id) as connection:
            desired = DesiredRows(connection, step.columns, dict(step.facts.minor_units))
            desired.add_references(job.references, job.pending)
            compared = compare(connection, step, table, desired, job.identities, job.blocked)
            writes = plan_writes(connection, step, table, compared)
            found = connection.execute(
                "SELECT key, object FROM compared WHERE object IS NOT NULL AND verdict <> 'refused' "
                "AND written IS DISTINCT FROM object"
            ).fetchall()
            _keep_rows(connection, compared.problems)
        known = {str(key): str(value) for key, value in found}
        return Comparison(writes, known, job.target)

    def find(self, step: Export, staging: Path, keys: Sequence[str]) -> Mapping[str, str]:
        """See `Comparer.find`."""
        if not keys or not staging.exists():
            return {}
        table = self._catalogues[step.connection].tables[step.entity]
        try:
            terms = Terms(staging.with_name(f"{staging.name}.tmp"))
            with reading([staging]), own_instance(terms, MIRROR) as connection:
                attach(connection, staging, MIRROR, read_only=True)
                return find_objects(connection, step, table, keys)
        except duckdb.Error as error:
            raise StoreError("E605", f"the objects of `{step.id}` cannot be read: {first_line(error)}") from error

    def plan_calls(self, job: CallJob, result: BoxResult) -> Comparison:
        """See `Comparer.plan_calls`."""
        step = job.step
        with self._opened(result, step.columns, None, job.target, step.id) as connection:
            desired = DesiredRows(connection, step.columns, dict(step.minor_units))
            desired.add_references(job.references, job.pending)
            writes = plan_calls(connection, step, desired, job.done, job.blocked)
            _keep_rows(connection, tuple(desired.problems))
        return Comparison(writes, {}, job.target)

    def answers(self, step: Call, staging: Path, result: BoxResult, target: Path) -> BoxResult:
        """See `Comparer.answers`."""
        if step.answer is None or step.returns is None:
            raise AssertionError("a call without `into` has no answers to write")
        table = self._catalogues[step.connection].tables[step.returns]
        try:
            with reading([staging]):
                earlier = step.answer.action is not Action.INSERT  # which would put them in once more
                relation = step.answer.box.bound.relation
                return read_answers(staging, table, relation, result.path, target, step.id, earlier=earlier)
        except duckdb.Error as error:
            raise StoreError("E605", f"the answers of `{step.id}` cannot be read: {first_line(error)}") from error

    @contextmanager
    def _opened(
        self, result: BoxResult, columns: Sequence[WriteColumn], staging: Path | None, target: Path, step: str
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """The box's rows as `box`, with the values of expressions; the mirror; and the new file `output`."""
        expressions = [
            (expression_column(index), column.expr) for index, column in enumerate(columns) if column.expr is not None
        ]
        source, spill = result.path, target.with_name(f"{target.name}.spill")
        mapped = target.with_name(f"{target.stem}.mapped.duckdb")
        try:
            if expressions:
                mapped.unlink(missing_ok=True)
                evaluate_expressions(result.path, mapped, expressions, self._limits, spill)
                source = mapped
            target.unlink(missing_ok=True)
            there = [staging] if staging is not None and staging.exists() else []
            with reading(there), _instance(self._limits, source, staging, target, spill) as connection:
                yield connection
        except duckdb.Error as error:
            raise StoreError("E605", f"the rows of `{step}` cannot be compared: {first_line(error)}") from error
        finally:
            mapped.unlink(missing_ok=True)
            shutil.rmtree(spill, ignore_errors=True)


@contextmanager
def _instance(
    limits: BoxLimits, source: Path, staging: Path | None, target: Path, spill: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    terms = Terms(spill, f"{limits.memory_bytes}B", limits.threads)
    with own_instance(terms, "box", MIRROR, "output") as connection:
        attach(connection, source, "box", read_only=True)
        if staging is not None and staging.exists():
            attach(connection, staging, MIRROR, read_only=True)
        elif staging is not None:
            connection.execute(f"ATTACH ':memory:' AS {MIRROR}")
        version = quote_literal(STORAGE_VERSION)
        connection.execute(f"ATTACH {quote_literal(str(target))} AS output (STORAGE_VERSION {version})")
        yield connection


def _keep_rows(connection: duckdb.DuckDBPyConnection, problems: tuple[Problem, ...]) -> None:
    """Store each row with its verdict, for `keep_outcomes`."""
    connection.execute(
        f"CREATE TABLE output.{ROWS} AS SELECT _weir_verdict.*, to_json(_weir_source) AS data "
        f"FROM (SELECT row, key, verdict, object, {refusal_text(problems)} AS problem FROM compared) AS _weir_verdict "
        f"JOIN {SOURCE} AS _weir_source ON _weir_source.rowid = _weir_verdict.row"
    )
