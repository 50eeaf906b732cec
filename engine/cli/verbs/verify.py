"""`weir verify`: is the mirror right?"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from engine.app.errors import Exit
from engine.app.mirrors.verify import verify_connection
from engine.app.running.run import interruptible
from engine.app.running.world import RunOptions
from engine.cli.findings import warn
from engine.cli.progress import shown_events
from engine.cli.refusals import findings_shown
from engine.cli.session import Session, pass_session, project_option
from engine.cli.tables import json_line, text_table
from engine.diagnostics import plural

if TYPE_CHECKING:
    from engine.app.mirrors.verify import Verification
    from engine.duck import TableDifference
    from engine.plan import Plan
    from engine.run import EventSink


@click.command("verify")
@click.argument("connection")
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--over-budget", is_flag=True, help="Read even beyond the `read_budget` of the connection.")
@project_option
@pass_session
def command(session: Session, connection: str, tables: tuple[str, ...], style: str, over_budget: bool) -> None:
    """Compare the mirror of CONNECTION (or these tables of it) with what the provider has.

    All that the mirror claims to have is read again, aside: as many requests as a first run; how many is said
    before. Counts, ids and contents are compared by month. Exit code 0 when they agree, 4 when they differ, 3 when
    a table could not be read, 6 when the read budget does not allow it.
    """
    from engine.plan import totals

    cancelled = threading.Event()
    options = RunOptions(isolated=False, environment=session.environment, cancelled=cancelled, over_budget=over_budget)
    with ExitStack() as stack:
        stack.enter_context(findings_shown(session))
        stack.enter_context(interruptible(cancelled))
        progress = stack.enter_context(ExitStack())

        def sink(plan: Plan) -> EventSink:
            about = totals(plan).requests
            if about is not None:
                click.echo(f"this takes about {plural(about, 'request')}", err=True)
            return progress.enter_context(shown_events("silent", bars=session.talkative, coloured=False))

        checked, found = verify_connection(session.workspace, connection, tables, options, sink)
        progress.close()
    warn(checked, session)
    click.echo(json_line({"same": found.same, **asdict(found)}) if style == "json" else _text(found, session))
    if found.unread:
        raise click.exceptions.Exit(int(Exit.ENVIRONMENT))
    if not found.same:
        raise click.exceptions.Exit(int(Exit.CHANGES))


def _text(found: Verification, session: Session) -> str:
    rows = [
        (_name(each), f"{each.rows:,}", each.missing, each.surplus, each.differing, "same" if each.same else "differs")
        for each in found.tables
    ]
    names = ("table", "rows", "missing", "surplus", "differing", "verdict")
    lines = [text_table(names, rows, fit=session.width)] if rows else []
    lines += [_difference(each) for each in found.tables if not each.same]
    if changed := sum(each.changed for each in found.tables):
        lines.append(f"{plural(changed, 'row')} changed while they were read, and are left out: ask again")
    lines += [f"{table}: could not be read: {why}" for table, why in found.unread.items()]
    verdict = "the mirror agrees with the provider" if found.same else "the mirror and the provider differ"
    if found.unread:
        verdict = "not everything could be compared"
    lines.append(f"{verdict}; {plural(found.requests, 'request')}")
    return "\n".join(lines)


def _name(table: TableDifference) -> str:
    return f"{table.table} of {table.account}" if table.account else table.table


def _difference(table: TableDifference) -> str:
    months = [f"{each.month:%Y-%m}" if each.month else "?" for each in table.windows if not each.same_content]
    shown = ", ".join(months[:6]) + (" …" if len(months) > 6 else "")
    return f"{_name(table)}: differs in rows of {shown}, such as {', '.join(table.samples)}"
