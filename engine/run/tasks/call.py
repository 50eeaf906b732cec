"""Call: a function of the provider for each row, and its answers into the Schema."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import datetime

from engine.graph import Call

from ..context import RunContext, file_name
from ..exports import CallJob, Comparison
from ..ports import BoxResult, ImportJob, Staging
from ..types import Outcome
from ..writes import write_rows
from ..writes.rows import box_rows
from .export import ended_empty, outcome_of, references_of
from .write import counts_of


def call(step: Call, context: RunContext, started: datetime) -> Outcome:
    """Call the function for each row that it was not called for before."""
    target = context.box_file(step)
    rows = target.with_name(f"{target.stem}.rows.duckdb")
    settings = context.connections[step.connection]
    with context.writing(step):
        try:
            result = box_rows(step, context)
            if result.rows == 0 and step.on_empty == "stop":
                return ended_empty(step, context, started)
            with closing(context.world.staging(settings)) as staging:

                def compare(blocked: frozenset[str]) -> Comparison:
                    references, pending = references_of(step, context)
                    done = context.exports.ledger.called(step.connection, step.id)
                    job = CallJob(step, rows, done, references, pending, blocked)
                    return context.exports.comparer.plan_calls(job, result)

                written = write_rows(step, context, staging, compare)
                outcome = outcome_of(step, context, started, written)
                if step.answer is None or context.exports.only_plan:
                    return outcome
                imported = _import_answers(step, context, staging, result)
            return replace(outcome, counts={**outcome.counts, **{f"answers {n}": v for n, v in imported.items() if v}})
        finally:
            target.unlink(missing_ok=True)
            rows.unlink(missing_ok=True)


def _import_answers(step: Call, context: RunContext, staging: Staging, result: BoxResult) -> dict[str, int]:
    """Write what the function answered in this run into the table of the Schema."""
    answer = step.answer
    if answer is None:
        raise AssertionError("a call without `into` has no answers to write")
    file = context.box_file(step).with_suffix(".answers.duckdb")
    try:
        answers = context.exports.comparer.answers(step, staging.path, result, file)
        job = ImportJob(
            run_id=context.run_id,
            step=step.id,
            table=answer.into,
            relation=answer.relation,
            key=answer.key,
            action=answer.action,
            match=answer.match,
            mapping=answer.mapping,
            reject_limit=context.world.reject_limit,
            snapshot=context.folder / f"{file_name(step.id)}.parquet" if answer.snapshot else None,
        )
        return counts_of(context.world.tables.apply(job, answers))
    finally:
        file.unlink(missing_ok=True)
