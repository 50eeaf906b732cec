"""`weir query`: try a SQL box, or look at the Schema."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import click

from engine.app.query import Answer, answered
from engine.app.run import interruptible
from engine.app.world import RunOptions
from engine.cli.progress import shown_events
from engine.cli.refusals import findings_shown
from engine.cli.session import Session, pass_session, project_option
from engine.cli.tables import csv_rows, json_line, text_table

_SHOWN = 100


@click.command("query")
@click.argument("connection")
@click.argument("sql", required=False)
@click.option("--limit", type=click.IntRange(1), help=f"At most so many rows; a table shows {_SHOWN} without it.")
@click.option("--format", "style", type=click.Choice(["table", "csv", "json", "parquet"]), default="table")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.option("--isolated/--no-isolated", default=None, help="The box in a child process; the default where CI is set.")
@project_option
@pass_session
def command(
    session: Session,
    connection: str,
    sql: str | None,
    limit: int | None,
    style: str,
    output: Path | None,
    isolated: bool | None,
) -> None:
    """Run SQL as a SQL box of CONNECTION would: only the tables and rows that it needs are read.

    Without SQL it is the connection's own box; `-` reads it from stdin. The connection `schema` stands for the
    canonical tables, and reaches no provider.
    """
    if style == "parquet" and output is None:
        raise click.UsageError("`--format parquet` needs `--output FILE`")
    if sql == "-":
        sql = sys.stdin.read()
    cancelled = threading.Event()
    alone = isolated if isolated is not None else session.in_ci
    options = RunOptions(isolated=alone, environment=session.environment, cancelled=cancelled)
    bound = limit if limit is not None else _SHOWN + 1 if style == "table" and output is None else None
    with ExitStack() as stack:
        stack.enter_context(findings_shown(session))
        stack.enter_context(interruptible(cancelled))
        events = stack.enter_context(shown_events("silent", bars=session.talkative, coloured=False))
        answer = stack.enter_context(answered(session.root, connection, sql, bound, options, events))
        if output is not None:
            _write(answer, output, style)
        else:
            _show(answer, style, limit)


def _write(answer: Answer, output: Path, style: str) -> None:
    try:
        answer.write(output, "csv" if style == "table" else style)
    except OSError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{answer.result.rows:,} rows in {output}", err=True)


def _show(answer: Answer, style: str, limit: int | None) -> None:
    names = answer.relation.names
    if style == "table":
        shown = limit or _SHOWN
        rows = answer.rows(shown)
        click.echo(text_table(names, rows))
        more = answer.result.rows > len(rows)
        count = f"the first {len(rows):,} rows; `--limit` shows more" if more else f"{len(rows):,} rows"
        click.echo(count, err=True)
        return
    rows = answer.rows(answer.result.rows)
    if style == "csv":
        for line in csv_rows(names, rows):
            click.echo(line, nl=False)
        return
    for row in rows:
        click.echo(json_line(dict(zip(names, row, strict=True))))
