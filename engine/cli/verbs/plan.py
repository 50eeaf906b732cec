"""`weir plan`: what a run would do."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.app.checking.check import DefinitionsError
from engine.app.errors import Exit
from engine.app.reviewing.affected import affected_now
from engine.app.running.live import SavedPlan, plan_live, save_live, saved_json
from engine.app.running.plan import has_changed, make_plan, save_plan
from engine.app.running.run import exit_code, interruptible
from engine.app.running.world import RunOptions
from engine.cli.findings import warn
from engine.cli.refusals import findings_shown
from engine.cli.run_view import Face
from engine.cli.session import Session, parameter_values, pass_session, project_option
from engine.report.plans.live_text import SHOWN, render_live
from engine.report.plans.plan_json import render_affected_json, render_plan_json
from engine.report.plans.plan_text import render_affected_text, render_plan_text

if TYPE_CHECKING:
    from engine.plan import AffectedQuery


@click.command("plan")
@click.argument("interfaces", nargs=-1, metavar="[NAME]...")
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the interfaces.")
@click.option("--live", is_flag=True, help="Read what is needed, and show every row that would be written and how.")
@click.option("--all", "everything", is_flag=True, help="With --live: list all writes, however many.")
@click.option("--over-budget", is_flag=True, help="With --live: read even beyond the `read_budget` of a connection.")
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
    live: bool,
    everything: bool,
    over_budget: bool,
    style: str,
    with_sql: bool,
    out: Path | None,
    detailed_exitcode: bool,
) -> None:
    """Show what a run of the interfaces (all without NAME) would do: requests, SQL, tables, and why.

    Needs no key and no network. With --live it reads the provider and shows what would be written to it, row by row,
    without writing anything; `weir run --plan FILE` then does exactly what `--out FILE` says.
    """
    if live:
        asked = _Live(style, everything, over_budget, out, detailed_exitcode)
        _show_live(session, interfaces, parameter_values(parameters), asked)
        return
    given = parameter_values(parameters)
    try:
        with findings_shown(session):
            checked, plan = make_plan(session.workspace, interfaces, given)
            budgets = session.workspace.budgets(plan)
            affected = affected_now(session.workspace, checked, interfaces, given)
    except DefinitionsError as error:
        _show_broken(affected_now(session.workspace, error.checked, interfaces, given), style, session)
        raise
    warn(checked, session)
    if out is not None:
        save_plan(plan, out)
    if style == "json":
        click.echo(render_plan_json(plan, budgets, affected), nl=False)
    else:
        coloured = session.coloured
        click.echo(
            render_plan_text(plan, budgets, affected, colour=coloured, with_sql=with_sql),
            nl=False,
            color=coloured or None,
        )
    if detailed_exitcode and has_changed(session.workspace, plan):
        raise click.exceptions.Exit(int(Exit.CHANGES))


@dataclass(frozen=True, slots=True)
class _Live:
    """How a plan on data is to be shown and kept."""

    style: str
    everything: bool
    over_budget: bool
    out: Path | None
    detailed_exitcode: bool


def _show_live(session: Session, interfaces: tuple[str, ...], parameters: Mapping[str, str], asked: _Live) -> None:
    cancelled = threading.Event()
    options = RunOptions(session.in_ci, session.environment, cancelled, over_budget=asked.over_budget)
    with ExitStack() as stack:
        stack.enter_context(findings_shown(session))
        stack.enter_context(interruptible(cancelled))
        face = Face(session, "silent", stack)
        plan, run = plan_live(session.workspace, interfaces, parameters, options, face.begin)
    code = exit_code(run)
    if code is not Exit.OK:
        face.close(run)
        raise click.exceptions.Exit(int(code))
    saved = SavedPlan(interfaces, parameters, plan, run.writes)
    if asked.out is not None:
        save_live(saved, asked.out)
    if asked.style == "json":
        click.echo(json.dumps(saved_json(saved), indent=2, ensure_ascii=False))
    else:
        limit = None if asked.everything else SHOWN
        coloured = session.coloured
        warnings = {outcome.id: outcome.warnings for outcome in run.outcomes}
        text = render_live(plan, run.writes, warnings, colour=coloured, limit=limit)
        click.echo(text, nl=False, color=coloured or None)
    if asked.detailed_exitcode and any(each.writes for each in run.writes):
        raise click.exceptions.Exit(int(Exit.CHANGES))


def _show_broken(affected: Sequence[AffectedQuery], style: str, session: Session) -> None:
    """Show the queries that an upgraded API version breaks, if that is why there is no plan."""
    if affected and style == "json":
        click.echo(render_affected_json(affected), nl=False)
    elif affected:
        click.echo(render_affected_text(affected, colour=session.talkative), nl=False, err=True)
