"""`weir ops`: writes to providers, and what became of each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from engine.app.records.ops import list_ops, resolve_op, show_op
from engine.app.state import utc_now
from engine.cli.session import Session, pass_session, project_option
from engine.cli.tables import json_line, text_table

if TYPE_CHECKING:
    from engine.run import Op

STATES: Final = ("planned", "sent", "done", "failed", "unknown", "quarantined", "dropped")
_FORMATS: Final = click.Choice(["text", "json"])
_NAMES: Final = ("write", "state", "planned (UTC)", "step", "what", "row", "object", "why")
_LEAST: Final = len("2026-01-31 12:00:00")


@click.group("ops", no_args_is_help=True)
def command() -> None:
    """List the writes to providers, show one, or say what became of one that nobody knows about.

    A write is planned, sent, and then done, failed, unknown (sent, and no answer), quarantined (somebody has to say
    what became of it) or dropped (not to be sent any more).
    """


@command.command("list")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only those; may be repeated.")
@click.option("--run", metavar="ID", help="Only those of the run whose id is ID, or begins so.")
@click.option("--step", metavar="STEP", help="Only those of this step (`interface.step`), or of all of an interface.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="At most so many.")
@click.option("--format", "style", type=_FORMATS, default="text", show_default=True)
@project_option
@pass_session
def list_(session: Session, states: tuple[str, ...], run: str | None, step: str | None, limit: int, style: str) -> None:
    """List the newest writes first. JSON has a line for each."""
    from engine.report.runs.ops_text import key_label, op_json, op_reason

    found = list_ops(session.workspace, limit, states, run, step)
    if style == "json":
        for op in found:
            click.echo(json_line(op_json(op)))
        return
    if not found:
        chosen = states or run is not None or step is not None
        click.echo("no such writes" if chosen else "nothing was written to a provider yet", err=True)
        return
    rows = [
        (op.id, op.state.value, _moment(op), op.step, op.target, key_label(op), _object(op), op_reason(op))
        for op in found
    ]
    click.echo(text_table(_NAMES, rows, fit=session.width, least=_LEAST))
    if len(found) == limit:
        click.echo(f"the newest {limit:,}; `--limit` shows more", err=True)


@command.command("show")
@click.argument("op_id", metavar="ID")
@click.option("--format", "style", type=_FORMATS, default="text", show_default=True)
@project_option
@pass_session
def show(session: Session, op_id: str, style: str) -> None:
    """Show everything about the write whose id is ID, or begins so: what was sent, what became of it, what to do."""
    from engine.report.runs.ops_text import op_page_json, render_op

    shown = show_op(session.workspace, op_id)
    now = utc_now()
    if style == "json":
        click.echo(json_line(op_page_json(shown.op, now, running=shown.running)))
        return
    click.echo(render_op(shown.op, now, running=shown.running, colour=session.coloured))


@command.command("resolve")
@click.argument("op_id", metavar="ID")
@click.option("--done/--not-done", "done", default=None, help="Whether the provider has done it.")
@click.option("--object", "object_id", metavar="ID", help="With --done: the object that it made.")
@click.option("--format", "style", type=_FORMATS, default="text", show_default=True)
@project_option
@pass_session
def resolve(session: Session, op_id: str, done: bool | None, object_id: str | None, style: str) -> None:
    """Say what became of a write of which nobody knows: it was done, or it was not.

    Done: its row stands for the object. Not done: the next run writes the row anew. Who said so is kept.
    """
    from engine.report.runs.ops_text import op_json, what_follows

    if done is None:
        raise click.UsageError("say what became of it: `--done` or `--not-done`")
    op = resolve_op(session.workspace, op_id, done=done, object_id=object_id)
    if style == "json":
        click.echo(json_line({**op_json(op), "follows": what_follows(op)}))
        return
    click.echo(f"{op.id} is {op.state.value}: {what_follows(op)}")


def _moment(op: Op) -> str:
    moment: datetime = op.planned
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _object(op: Op) -> str:
    return op.result or op.object or ""
