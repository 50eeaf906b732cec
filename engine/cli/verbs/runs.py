"""`weir runs`: what has run."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from engine.app.records.history import list_rejects, list_runs, show_run
from engine.app.records.ops import count_ops
from engine.cli.session import Session, pass_session, project_option
from engine.cli.tables import json_line, text_table
from engine.diagnostics import plural
from engine.report.runs.run_text import render_counts, requests_beside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.run import ConnectionReads, RunRecord, StepRecord

_MOMENT = len("2026-01-31 12:00:00")
_READS = ("connection", "requests", "retries", "limited (429)", "in 30 days", "read budget")
_FORMATS = click.Choice(["text", "json"])


@click.group("runs", invoke_without_command=True)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@click.option("--format", "style", type=_FORMATS, default="text", show_default=True)
@project_option
@click.pass_context
def command(ctx: click.Context, limit: int, style: str) -> None:
    """List the newest runs, show one with its steps, or show what was rejected."""
    if ctx.invoked_subcommand is not None:
        return
    session = ctx.ensure_object(Session)
    found = list_runs(session.workspace, limit)
    if style == "json":
        for run in found:
            click.echo(json_line(asdict(run)))
        return
    if not found:
        click.echo("no runs yet: `weir run` starts one", err=True)
        return
    rows = [
        (
            run.id,
            run.status,
            _moment(run.started),
            _seconds(run),
            ", ".join(run.interfaces),
            _counts(run.status, run.counts),
        )
        for run in found
    ]
    click.echo(
        text_table(
            ("run", "status", "started (UTC)", "seconds", "interfaces", "counts"),
            rows,
            fit=session.width,
            least=_MOMENT,
        )
    )


@command.command("show")
@click.argument("run_id", metavar="ID")
@click.option("--format", "style", type=_FORMATS, default="text", show_default=True)
@project_option
@pass_session
def show(session: Session, run_id: str, style: str) -> None:
    """Show the run whose id is ID, or begins so."""
    run, steps = show_run(session.workspace, run_id)
    writes = {state.value: number for state, number in count_ops(session.workspace, run.id).items()}
    if style == "json":
        click.echo(json_line({**asdict(run), "steps": [asdict(step) for step in steps], "writes": writes}))
        return
    facts = (
        ("run", run.id),
        ("status", run.status),
        ("started", _moment(run.started)),
        ("seconds", _seconds(run)),
        ("by", run.user),
        ("commit", run.commit or "not in Git"),
        ("plan", run.plan_hash),
        ("interfaces", ", ".join(run.interfaces)),
    )
    click.echo("\n".join(f"{name:<12}{value}" for name, value in facts) + "\n")
    if run.reads:
        click.echo(text_table(_READS, [_reads(each) for each in run.reads], widest=None) + "\n")
    rows = [
        (step.step, step.kind, step.status, f"{(step.ended - step.started).total_seconds():.1f}", _outcome(step))
        for step in steps
    ]
    rows += [(name, "extract", "", "", plural(number, "request")) for name, number in requests_beside(run.reads)]
    click.echo(text_table(("step", "kind", "status", "seconds", "outcome"), rows, widest=None))
    if writes:
        states = ", ".join(f"{number:,} {state}" for state, number in writes.items())
        click.echo(f"\nwrites to providers: {states}; `weir ops list --run {run.id}` lists them")


@command.command("rejects")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="At most so many rows."
)
@click.option("--format", "style", type=_FORMATS, default="text", show_default=True)
@project_option
@pass_session
def rejects(session: Session, limit: int, style: str) -> None:
    """Show the rows that did not fit their table when each step last ran, and why. JSON holds the whole rows."""
    found = list_rejects(session.workspace, limit)
    if style == "json":
        for each in found:
            click.echo(json_line(asdict(each)))
        return
    if not found:
        click.echo("no rows were rejected", err=True)
        return
    rows = [
        (each.step, ", ".join(f"{name} = {value}" for name, value in each.key.items()), each.column, each.problem)
        for each in found
    ]
    click.echo(text_table(("step", "row", "column", "problem"), rows, widest=None, fit=session.width))


def _reads(reads: ConnectionReads) -> tuple[str, ...]:
    budget = "none" if reads.budget is None else f"{reads.budget:,}"
    return (reads.connection, *(f"{n:,}" for n in (reads.requests, reads.retries, reads.limited, reads.used)), budget)


def _outcome(step: StepRecord) -> str:
    return step.message or _counts(step.status, step.counts)


def _counts(status: str, counts: Mapping[str, int]) -> str:
    """What was counted. That nothing was new is news of a success only."""
    return render_counts(counts) if status == "succeeded" or any(counts.values()) else ""


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _seconds(run: RunRecord) -> str:
    return f"{(run.ended - run.started).total_seconds():.1f}" if run.ended else ""
