"""`weir apply`: make live what waits in a protected project."""

from __future__ import annotations

import click

from engine.app.serving.apply import apply_pending, pending_now
from engine.cli.refusals import findings_shown
from engine.cli.session import Session, pass_session, project_option
from engine.report.runs.reload_text import render_pending


@click.command("apply")
@click.argument("digest", required=False, metavar="[HASH]")
@project_option
@pass_session
def command(session: Session, digest: str | None) -> None:
    """Make live what waits in a protected project (`policy: {protected: true}` in weir.yaml).

    Under `weir serve` such a project holds back changes that put something at risk: who is reached, what is written,
    what is lost. Without HASH this says what waits and why; with it, a server makes exactly that live within a second,
    or when it starts. Exit code 5 when something else waits by now.
    """
    coloured = session.coloured
    with findings_shown(session):
        if digest is not None:
            applied = apply_pending(session.workspace, digest)
            click.echo(f"applied {applied.digest[:12]}")
            return
        pending = pending_now(session.workspace)
    if pending is None:
        click.echo("nothing is pending")
    else:
        text = render_pending(pending.digest, pending.risks, colour=coloured)
        click.echo(text, nl=False, color=coloured or None)
