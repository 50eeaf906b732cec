"""`weir run`: from the provider to the Schema."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from engine.app.check import Checked
from engine.app.errors import Exit
from engine.app.run import exit_code, interruptible, run_project
from engine.app.world import RunOptions
from engine.cli.findings import warn
from engine.cli.progress import shown_events
from engine.cli.refusals import findings_shown
from engine.cli.session import Session, parameter_values, pass_session, project_option
from engine.report.run_text import render_summary

if TYPE_CHECKING:
    from engine.plan import Plan
    from engine.run import EventSink, Run


@click.command("run")
@click.argument("interfaces", nargs=-1, metavar="[NAME]...")
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the interfaces.")
@click.option(
    "--isolated/--no-isolated",
    default=None,
    help="Each SQL box in a child process with limits of its own; the default where CI is set.",
)
@click.option("--full", is_flag=True, help="Read everything that is needed again, whatever the mirror has.")
@click.option("--rebuild", is_flag=True, help="All rows count as changed for steps that read `changed.…`.")
@click.option("--accept-deletes", is_flag=True, help="A large part of a mirrored table may be gone (see E613).")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--over-budget", is_flag=True, help="Read even beyond the `read_budget` of a connection.")
@project_option
@pass_session
def command(
    session: Session,
    interfaces: tuple[str, ...],
    parameters: tuple[str, ...],
    isolated: bool | None,
    full: bool,
    rebuild: bool,
    accept_deletes: bool,
    style: str,
    over_budget: bool,
) -> None:
    """Run the interfaces (all without NAME): read, stage, run the SQL boxes, write the Schema's tables.

    Exit code 0 when all went well, 1 when a step failed, 3 when a provider or a key is the reason, 5 when another run
    has the interface, 6 when a read budget would be passed.
    """
    values = parameter_values(parameters)
    cancelled = threading.Event()
    alone = isolated if isolated is not None else session.in_ci
    options = RunOptions(
        isolated=alone,
        environment=session.environment,
        cancelled=cancelled,
        accept_deletes=accept_deletes,
        full=full,
        over_budget=over_budget,
        rebuild=rebuild,
    )
    with ExitStack() as stack:
        stack.enter_context(findings_shown(session))
        stack.enter_context(interruptible(cancelled))
        face = _Face(session, style, stack)
        run = run_project(session.root, interfaces, values, options, face.begin)
    if style == "text":
        face.close(run)
    code = exit_code(run)
    if code is not Exit.OK:
        raise click.exceptions.Exit(int(code))


class _Face:
    """Shows a run: events as they come, the summary at the end."""

    def __init__(self, session: Session, style: str, stack: ExitStack) -> None:
        self._session = session
        self._style = style
        self._stack = stack
        self._plan: Plan | None = None

    def begin(self, checked: Checked, plan: Plan) -> EventSink:
        """The sink for the events of a run of this plan."""
        warn(checked, self._session)
        self._plan = plan
        coloured = self._session.talkative
        rows = {task.id: task.estimate.rows for task in plan.tasks if task.estimate.rows}
        shown = shown_events(self._style, bars=self._session.talkative, coloured=coloured, estimates=rows)
        return self._stack.enter_context(shown)

    def close(self, run: Run) -> None:
        """Print what came from where, and what is worth a look."""
        if self._plan is None:
            return
        coloured = self._session.coloured
        text = render_summary(self._plan, run, colour=coloured)
        click.echo(text, nl=False, color=coloured or None)
