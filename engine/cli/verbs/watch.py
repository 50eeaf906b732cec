"""`weir watch`: the developer's loop."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime

import click

from engine.app.checking.check import Checked
from engine.app.errors import RefusalError
from engine.app.reload.loop import Loop, Saved
from engine.app.reload.watcher import Pace
from engine.app.running.query import answered
from engine.app.running.run import interruptible
from engine.app.running.world import RunOptions
from engine.cli.findings import rendered
from engine.cli.refusals import findings_shown
from engine.cli.run_view import Face
from engine.cli.session import Session, pass_session, project_option
from engine.cli.tables import text_table
from engine.report.runs.reload_text import (
    render_cleared,
    render_delta,
    render_fixed,
    render_inactive,
    render_pending,
    render_unchanged,
)

_PREVIEW = 5


@click.command("watch")
@click.option("--run", "runs", is_flag=True, help="Run the interfaces that a save has changed.")
@click.option("--preview", is_flag=True, help="Show the first rows of the SQL boxes that a save has changed.")
@click.option("--poll", is_flag=True, help="Look every second, where the file system tells of no changes.")
@project_option
@pass_session
def command(session: Session, runs: bool, preview: bool, poll: bool) -> None:
    """Check at every save: what is wrong, at which character; what has become live; what that changes.

    What is broken holds back the files that it touches, and no others: they stay as they were. Ends with Ctrl-C.
    """
    stop = threading.Event()
    pace = Pace(rescan=1.0, polling=True) if poll else None
    with findings_shown(session), interruptible(stop), Loop(session.workspace, stop, pace) as loop:
        click.echo(f"watching {session.root} (Ctrl-C ends it)", err=True)
        for number, saved in enumerate(loop.saves()):
            show(saved, session)
            delta = saved.reload.delta
            touched = (*delta.added, *delta.changed)
            if number == 0 or not touched:
                continue
            if preview:
                _preview(saved, session, stop)
            if runs:
                _run(loop, touched, session, stop)


def show(saved: Saved, session: Session) -> None:
    """Print what a save has come to."""
    coloured, reload = session.coloured, saved.reload
    click.echo(f"\n[{datetime.now().astimezone():%H:%M:%S}] ", nl=False)
    if reload.cleared:
        click.echo(render_cleared(len(reload.cleared), colour=coloured), nl=False)
    if reload.fresh:
        found = replace(reload.offered, diagnostics=reload.fresh)
        click.echo("\n" + rendered(found, "text", coloured=coloured), nl=False, color=coloured or None)
    if reload.fixed:
        click.echo(render_fixed(reload.fixed, colour=coloured), nl=False, color=coloured or None)
    if reload.pending is not None:
        text = render_pending(reload.pending.digest, reload.pending.risks, colour=coloured)
        click.echo(text, nl=False, color=coloured or None)
    live = reload.generation
    if reload.is_new and live is not None:
        delta = reload.delta
        text = render_delta(live.number, delta.added, delta.changed, delta.removed, saved.changes, colour=coloured)
        click.echo(text, nl=False, color=coloured or None)
        if live.held:
            click.echo(render_inactive(live.held, colour=coloured), nl=False, color=coloured or None)
    if not reload.is_new:
        number = live.number if live is not None else None
        click.echo(render_unchanged(number, colour=coloured), nl=False, color=coloured or None)


def _preview(saved: Saved, session: Session, stop: threading.Event) -> None:
    """The first rows of each box that a save has changed."""
    live = saved.reload.generation
    if live is None:
        return
    names = {*saved.reload.delta.added, *saved.reload.delta.changed}
    options = RunOptions(isolated=False, environment=session.environment, cancelled=stop)
    for connection, title, sql in _boxes(live.checked, names):
        click.echo(f"  {title}:")
        try:
            with answered(session.workspace, connection, sql, _PREVIEW, options, lambda _: None) as answer:
                rows = answer.rows(_PREVIEW)
                click.echo(text_table(answer.relation.names, rows))
        except RefusalError as error:
            click.echo(f"    {error.message}", err=True)


def _boxes(checked: Checked, names: set[str]) -> list[tuple[str, str, str]]:
    """(connection or `schema`, title, SQL) of the boxes of these interfaces' imports and transforms."""
    from engine.graph import SCHEMA_NAMESPACE, Import

    return [
        (step.connection or SCHEMA_NAMESPACE, step.id, step.box.sql)
        for step in checked.graph.steps
        if isinstance(step, Import) and step.interface in names
    ]


def _run(loop: Loop, touched: tuple[str, ...], session: Session, stop: threading.Event) -> None:
    options = RunOptions(isolated=session.in_ci, environment=session.environment, cancelled=stop)
    with ExitStack() as stack:
        face = Face(session, "text", stack)
        try:
            _, run = loop.run(touched, options, face.begin)
        except RefusalError as error:
            click.echo(f"not run: {error.message}", err=True)
            return
    face.close(run)
