"""`weir schema`: the JSON Schemas that editors use."""

from __future__ import annotations

import click

from engine.app.authoring.json_schemas import stale_schemas, write_schemas
from engine.app.errors import Exit
from engine.cli.session import Session, pass_session, project_option


@click.command("schema")
@click.option("--check", is_flag=True, help="Write nothing; exit code 2 when the files are missing or stale.")
@project_option
@pass_session
def command(session: Session, check: bool) -> None:
    """Write `schemas/*.schema.json` for this version of Weir, for editors and other checkers."""
    if not check:
        for path in write_schemas(session.root):
            click.echo(path)
        return
    stale = stale_schemas(session.root)
    for path in stale:
        click.echo(f"{path} is missing or stale: `weir schema` writes it", err=True)
    if stale:
        raise click.exceptions.Exit(int(Exit.DEFINITIONS))
    click.echo("ok: the JSON Schemas are those of this version")
