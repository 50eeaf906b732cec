"""Call: a function of the provider for each row, and its answers into the Schema."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from engine.graph import Call

from ..context import RunContext, file_name
from ..outcome import Outcome
from ..ports.boxes import BoxResult
from ..ports.compare import CallJob, Comparison
from ..ports.staging import Staging
from ..ports.tables import ImportJob
from ..writes import write_rows
from ..writes.step import ended_empty, ends_here, opened_step, outcome_of, references_of
from .import_rows import counts_of


def call(step: Call, context: RunContext, started: datetime) -> Outcome:
    """Call the function for each row that it was not called for before."""
    exports = context.exports
    with opened_step(step, context) as opened:
        if ends_here(step, opened):
            return ended_empty(step, context, started)

        def compare(blocked: frozenset[str]) -> Comparison:
            references, pending = references_of(step, context)
            done = exports.ledger.called(step.connection, step.id)
            job = CallJob(step, opened.rows, done, references, pending, blocked)
            return exports.comparer.plan_calls(job, opened.result)

        outcome = outcome_of(step, context, started, write_rows(step, context, opened.staging, compare))
        if step.answer is None or exports.only_plan:
            return outcome
        imported = _import_answers(step, context, opened.staging, opened.result)
        answers = {f"answers {name}": number for name, number in imported.items() if number}
        return replace(outcome, counts={**outcome.counts, **answers})


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
