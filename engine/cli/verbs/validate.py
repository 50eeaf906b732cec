"""`weir validate`: check all definitions."""

from __future__ import annotations

import click

from engine.app.checking.check import Checked, check_cases, check_project
from engine.app.checking.fixing import fix_project
from engine.app.errors import Exit
from engine.cli.findings import rendered
from engine.cli.session import Session, parameter_values, pass_session, project_option
from engine.diagnostics import plural
from engine.report import FINDING_FORMATS


@click.command("validate")
@click.option("--format", "style", type=click.Choice(FINDING_FORMATS), default="text", show_default=True)
@click.option("--fix", is_flag=True, help="Apply the fixes that are offered, and check again.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the interfaces.")
@project_option
@pass_session
def command(session: Session, style: str, fix: bool, strict: bool, parameters: tuple[str, ...]) -> None:
    """Check all definitions and their cases: files, names, SQL boxes, mappings. Needs no key and no network.

    Exit code 0 when they are right (warnings allowed), 2 when something is wrong.
    """
    values = parameter_values(parameters)
    checked = check_cases(session.workspace, check_project(session.workspace, values))
    if fix:
        changed = fix_project(checked)
        for file in changed:
            click.echo(f"fixed {file}", err=True)
        checked = check_cases(session.workspace, check_project(session.workspace, values)) if changed else checked
    coloured = session.coloured and style == "text"
    if style == "text" and not checked.diagnostics:
        click.echo(_praise(checked))
    else:
        text = rendered(checked, style, coloured=coloured)
        click.echo(text, nl=not text.endswith("\n") and bool(text), color=coloured or None)
    if checked.has_errors or (strict and checked.diagnostics):
        raise click.exceptions.Exit(int(Exit.DEFINITIONS))


def _praise(checked: Checked) -> str:
    project = checked.project
    counts = (
        (len(project.connections), "connection"),
        (len(project.interfaces), "interface"),
        (len(project.tables), "table"),
    )
    listed = [plural(number, name) for number, name in counts]
    cases = f"; {plural(len(checked.cases), 'test case')}" if checked.cases else ""
    return f"ok: {', '.join(listed[:-1])} and {listed[-1]}{cases}"
