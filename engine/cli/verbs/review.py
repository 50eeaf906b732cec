"""`weir review`: what a change of the definitions means."""

from __future__ import annotations

from dataclasses import asdict

import click

from engine.app.errors import Exit
from engine.app.reviewing.review import review_project
from engine.cli.session import Session, pass_session, project_option
from engine.cli.tables import json_line


@click.command("review")
@click.option("--base", default="HEAD", show_default=True, metavar="REVISION", help="What the change is compared with.")
@click.option("--format", "style", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
@click.option("--detailed-exitcode", is_flag=True, help="Exit code 4 when any definition means something else.")
@project_option
@pass_session
def command(session: Session, base: str, style: str, detailed_exitcode: bool) -> None:
    """Say what a change of the definitions exposes, what it writes and what it costs.

    The folder as it is now is compared with the commit where it parted from REVISION: `weir review` looks at what is
    not committed yet, `weir review --base origin/main --format markdown` writes the comment for a pull request. Needs
    no key and no network. Exit code 2 when the change breaks something.
    """
    from engine.report.reviews.review_markdown import render_review_markdown
    from engine.report.reviews.review_text import render_review_text

    _, review = review_project(session.workspace, base)
    if style == "json":
        click.echo(json_line(asdict(review)))
    elif style == "markdown":
        click.echo(render_review_markdown(review), nl=False)
    else:
        coloured = session.coloured
        click.echo(render_review_text(review, colour=coloured), nl=False, color=coloured or None)
    if review.has_errors:
        raise click.exceptions.Exit(int(Exit.DEFINITIONS))
    if detailed_exitcode and review.changes:
        raise click.exceptions.Exit(int(Exit.CHANGES))
