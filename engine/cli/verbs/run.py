"""`weir run`: from the provider to the Schema, and back."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

import click

from engine.app.errors import Exit
from engine.app.running.run import exit_code, interruptible, run_project, run_saved
from engine.app.running.world import RunOptions
from engine.cli.refusals import findings_shown
from engine.cli.run_view import Face
from engine.cli.session import Session, parameter_values, pass_session, project_option


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
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Do exactly what `weir plan --live --out FILE` has planned, or nothing.",
)
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
    plan_file: Path | None,
    over_budget: bool,
) -> None:
    """Run the interfaces (all without NAME): read, stage, run the SQL boxes, write the Schema's tables and what is
    exported.

    Exit code 0 when all went well, 1 when a step failed, 3 when a provider or a key is the reason, 5 when another run
    has the interface or a plan does not hold any more, 6 when a read budget, a cap or a grant stands in the way.
    """
    if plan_file is not None and (interfaces or parameters):
        raise click.UsageError("a plan has its interfaces and parameters in it: give either `--plan` or names")
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
        face = Face(session, style, stack)
        if plan_file is not None:
            run = run_saved(session.workspace, plan_file, options, face.begin)
        else:
            run = run_project(session.workspace, interfaces, values, options, face.begin)
    if style == "text":
        face.close(run)
    code = exit_code(run)
    if code is not Exit.OK:
        raise click.exceptions.Exit(int(code))
