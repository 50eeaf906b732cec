"""Export: a box's rows become objects of the provider."""

from __future__ import annotations

from datetime import datetime

from engine.graph import Export

from ..context import RunContext
from ..outcome import Outcome
from ..ports.compare import CompareJob, Comparison
from ..writes import write_rows
from ..writes.step import ended_empty, ends_here, opened_step, outcome_of, references_of


def export(step: Export, context: RunContext, started: datetime) -> Outcome:
    """Compare the box's rows with what is there, and write the difference."""
    exports = context.exports
    with opened_step(step, context) as opened:
        if ends_here(step, opened):
            return ended_empty(step, context, started)

        def compare(blocked: frozenset[str]) -> Comparison:
            references, pending = references_of(step, context)
            identities = exports.ledger.identities(step.connection, step.id)
            path = opened.staging.path
            job = CompareJob(step, path, opened.rows, identities, references, pending, blocked)
            return exports.comparer.compare(job, opened.result)

        written = write_rows(step, context, opened.staging, compare)
        return outcome_of(step, context, started, written)
