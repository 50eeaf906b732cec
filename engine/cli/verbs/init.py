"""`weir init`: a new project."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from engine.app.authoring.scaffold import start_project
from engine.connector.installed import DEFAULT_CONNECTOR


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", default=".")
@click.option("--connector", default=DEFAULT_CONNECTOR, show_default=True, metavar="NAME", help="Whose example it has.")
def command(folder: Path, connector: str) -> None:
    """Start a project in DIR (made if it is not there): folders, an example, editor settings, a CI workflow.

    Nothing that exists is overwritten: your README, Makefile or .gitignore is kept. A folder with a project is refused.
    """
    written, kept = start_project(folder, connector)
    for path in written:
        click.echo(path)
    for path in kept:
        click.echo(f"{path} was there and is kept", err=True)
    step = "" if folder == Path() else f"cd {quote(str(folder))} && "
    click.echo(f"\nnow: {step}weir validate && weir run", err=True)
