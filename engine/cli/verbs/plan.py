"""`weir plan`: what a run would do."""

from __future__ import annotations

from pathlib import Path

import click

from engine.app.budget import budgets_now
from engine.app.errors import Exit
from engine.app.plan import has_changed, make_plan, save_plan
from engine.app.state import state_paths
from engine.cli.findings import warn
from engine.cli.refusals import findings_shown
from engine.cli.session import Session, parameter_values, pass_session, project_option
from engine.report.plan_json import render_plan_json
from engine.report.plan_text import render_plan_text


@click.command("plan")
@click.argument("interfaces", nargs=-1, metavar="[NAME]...")
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the interfaces.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--sql/--no-sql", "with_sql", default=True, help="Show the rendered SQL boxes (text only).")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the plan as JSON to this file too.")
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit code 4 when the plan is another one than the last successful run of these interfaces had.",
)
@project_option
@pass_session
def command(
    session: Session,
    interfaces: tuple[str, ...],
    parameters: tuple[str, ...],
    style: str,
    with_sql: bool,
    out: Path | None,
    detailed_exitcode: bool,
) -> None:
    """Show what a run of the interfaces (all without NAME) would do: requests, SQL, tables, and why.

    Needs no key and no network.
    """
    with findings_shown(session):
        checked, plan = make_plan(session.root, interfaces, parameter_values(parameters))
        budgets = budgets_now(plan, state_paths(session.root, checked.project.settings.state))
    warn(checked, session)
    if out is not None:
        save_plan(plan, out)
    if style == "json":
        click.echo(render_plan_json(plan, budgets), nl=False)
    else:
        coloured = session.coloured
        click.echo(
            render_plan_text(plan, budgets, colour=coloured, with_sql=with_sql), nl=False, color=coloured or None
        )
    if detailed_exitcode and has_changed(session.root, checked, plan):
        raise click.exceptions.Exit(int(Exit.CHANGES))
