"""`weir explain`: the page of a diagnostic code."""

from __future__ import annotations

import click

from engine.cli.session import project_option
from engine.diagnostics import CODES
from engine.report.findings.explain import explain, similar_codes


@click.command("explain")
@click.argument("code", required=False)
@project_option
def command(code: str | None) -> None:
    """Say what CODE (for example E301) means and how to mend it. Without CODE, list all of them."""
    if code is None:
        for known in CODES.values():
            click.echo(f"{known.id}  {known.title}")
        return
    page = explain(code)
    if page is None:
        near = similar_codes(code)
        raise click.UsageError(f"no code `{code}`" + (f": did you mean `{'`, `'.join(near)}`?" if near else ""))
    click.echo(page.rstrip("\n"))
