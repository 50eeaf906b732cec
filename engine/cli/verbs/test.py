"""`weir test`: run the cases of interfaces."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from engine.app.cases.run import Cases, opened_cases, run_cases
from engine.app.errors import Exit
from engine.app.running.run import interruptible
from engine.app.running.world import RunOptions
from engine.cli.findings import warn
from engine.cli.refusals import findings_shown
from engine.cli.session import Session, pass_session, project_option

if TYPE_CHECKING:
    from engine.cases import CaseResult


@click.command("test")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--format", "style", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
@click.option("-x", "--fail-fast", is_flag=True, help="Stop at the first case that fails.")
@click.option(
    "--isolated/--no-isolated", default=None, help="Each SQL box in a child process; the default where CI is set."
)
@project_option
@pass_session
def command(session: Session, names: tuple[str, ...], style: str, fail_fast: bool, isolated: bool | None) -> None:
    """Run the cases of interfaces (all without NAME): what comes of given rows, compared with what was expected.

    Cases stand in `interfaces/*.test.yaml`. NAME is an interface or `interface::case`, and may hold `*`. Needs no key,
    no network and no state, and leaves nothing behind. Exit code 7 when a case fails, 2 when a file is wrong.
    """
    cancelled = threading.Event()
    alone = isolated if isolated is not None else session.in_ci
    options = RunOptions(isolated=alone, environment=session.environment, cancelled=cancelled)
    with ExitStack() as stack:
        stack.enter_context(findings_shown(session))
        stack.enter_context(interruptible(cancelled))
        cases = stack.enter_context(opened_cases(session.workspace, names))
        warn(cases.checked, session)
        if not cases.chosen:
            _begin(cases, names, style)
            return
        results = _run(cases, options, session, style, fail_fast)
    if cancelled.is_set():
        raise click.exceptions.Exit(int(Exit.INTERRUPTED))
    if not all(each.passed for each in results):
        raise click.exceptions.Exit(int(Exit.TESTS))


def _run(cases: Cases, options: RunOptions, session: Session, style: str, fail_fast: bool) -> tuple[CaseResult, ...]:
    """Run the cases and show what came of them: as text each when it ends, otherwise all at the end."""
    from engine.report.cases.cases_machine import render_cases_json, render_cases_junit
    from engine.report.cases.cases_text import render_cases_summary, render_result

    coloured, tree = session.coloured, cases.checked.tree

    def tell(result: CaseResult) -> None:
        if style == "text":
            click.echo(render_result(result, tree, colour=coloured), nl=False, color=coloured or None)

    results = run_cases(cases, options, tell, fail_fast=fail_fast)
    chosen = len(cases.chosen)
    if style == "json":
        click.echo(render_cases_json(results, chosen, tree), nl=False)
    elif style == "junit":
        click.echo(render_cases_junit(results, tree), nl=False)
    else:
        click.echo(render_cases_summary(results, chosen, colour=coloured), nl=False, color=coloured or None)
    return results


def _begin(cases: Cases, names: tuple[str, ...], style: str) -> None:
    """Say how to write the first case; programs get what there is: nothing."""
    from engine.app.cases.first import first_case
    from engine.report.cases.cases_machine import render_cases_json, render_cases_junit

    if style == "json":
        click.echo(render_cases_json((), 0, cases.checked.tree), nl=False)
    elif style == "junit":
        click.echo(render_cases_junit((), cases.checked.tree), nl=False)
    else:
        click.echo(first_case(cases.checked, names), nl=False)
