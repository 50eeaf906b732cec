"""`weir init`: a new project."""

from __future__ import annotations

from pathlib import Path

import click

from engine.app.scaffold import start_project


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", default=".")
def command(folder: Path) -> None:
    """Start a project in DIR (made if it is not there): folders, an example, editor settings, a CI workflow.

    Nothing that exists is overwritten.
    """
    for path in start_project(folder):
        click.echo(path)
    step = "" if folder == Path() else f"cd {folder} && "
    click.echo(f"\nnow: {step}weir validate && weir run", err=True)
