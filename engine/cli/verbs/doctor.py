"""`weir doctor`: is everything in place?"""

from __future__ import annotations

import click

from engine.app.doctor import examine
from engine.app.errors import Exit
from engine.cli.session import Session, pass_session, project_option
from engine.cli.tables import json_line

_STYLES = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command("doctor")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@project_option
@pass_session
def command(session: Session, style: str) -> None:
    """Look at the environment: versions, the project, secrets (whether they are there), state files, disk space.

    Reaches no provider. Exit code 3 when something would keep a run from working.
    """
    findings = examine(session.workspace, session.environment)
    if style == "json":
        click.echo(json_line([{"name": f.name, "verdict": f.verdict, "message": f.message} for f in findings]))
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            mark = finding.verdict
            shown = click.style(f"{mark:<8}", fg=_STYLES[mark]) if session.coloured else f"{mark:<8}"
            click.echo(f"{shown} {finding.name:<{width}}  {finding.message}")
    if any(finding.verdict == "problem" for finding in findings):
        raise click.exceptions.Exit(int(Exit.ENVIRONMENT))
