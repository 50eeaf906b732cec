"""`weir connectors`: the gallery."""

from __future__ import annotations

import click

from engine.cli.session import Session, pass_session, project_option
from engine.cli.tables import json_line, text_table


@click.command("connectors")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@project_option
@pass_session
def command(session: Session, style: str) -> None:
    """List the kinds of systems that Weir reaches, by category."""
    found = sorted(session.workspace.connectors.values(), key=lambda connector: (connector.category, connector.name))
    rows = []
    for connector in found:
        catalogue = connector.catalogue(None)
        rows.append((connector.category, connector.name, connector.title, len(catalogue.tables), catalogue.api_version))
    if style == "json":
        names = ("category", "name", "title", "tables", "api_version")
        click.echo(json_line([dict(zip(names, row, strict=True)) for row in rows]))
    else:
        click.echo(text_table(("category", "connector", "product", "tables", "API version"), rows))
