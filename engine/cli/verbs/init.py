"""`weir init`: a new project."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from engine.app.authoring.scaffold import start_project


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", default=".")
def command(folder: Path) -> None:
    """Start a project in DIR (made if it is not there): folders, an example, editor settings, a CI workflow.

    Nothing that exists is overwritten: your README, Makefile or .gitignore is kept. A folder with a project is refused.
    """
    written, kept = start_project(folder)
    for path in written:
        click.echo(path)
    for path in kept:
        click.echo(f"{path} was there and is kept", err=True)
    step = "" if folder == Path() else f"cd {quote(str(folder))} && "
    click.echo(f"\nnow: {step}weir validate && weir run", err=True)
