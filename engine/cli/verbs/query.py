"""`weir query`: try a SQL box, or look at the Schema."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import click

from engine.app.running.query import Answer, answered
from engine.app.running.run import interruptible
from engine.app.running.world import RunOptions
from engine.cli.progress import shown_events
from engine.cli.refusals import findings_shown
from engine.cli.session import Session, pass_session, project_option
from engine.cli.tables import fits, text_records, text_table
from engine.diagnostics import plural
from engine.report.masking import masked

_SHOWN = 100
_ENDINGS = {".csv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json", ".parquet": "parquet"}


@click.command("query")
@click.argument("connection")
@click.argument("sql", required=False)
@click.option("--limit", type=click.IntRange(1), help=f"At most so many rows; a table shows {_SHOWN} without it.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    help="Otherwise as the name of the `--output` ends, or a table.",
)
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write all rows to this file.")
@click.option("--isolated/--no-isolated", default=None, help="The box in a child process; the default where CI is set.")
@click.option("--over-budget", is_flag=True, help="Read even beyond the `read_budget` of a connection.")
@project_option
@pass_session
def command(
    session: Session,
    connection: str,
    sql: str | None,
    limit: int | None,
    style: str | None,
    output: Path | None,
    isolated: bool | None,
    over_budget: bool,
) -> None:
    """Run SQL as a SQL box of CONNECTION would: only the tables and rows that it needs are read.

    Without SQL it is the connection's own box; `-` reads it from stdin. The connection `schema` stands for the
    canonical tables, and reaches no provider.
    """
    form = _style_of(style, output)
    if sql == "-":
        sql = sys.stdin.read()
    cancelled = threading.Event()
    alone = isolated if isolated is not None else session.in_ci
    options = RunOptions(isolated=alone, environment=session.environment, cancelled=cancelled, over_budget=over_budget)
    bound = limit if limit is not None else _SHOWN + 1 if form == "table" else None
    with ExitStack() as stack:
        stack.enter_context(findings_shown(session))
        stack.enter_context(interruptible(cancelled))
        progress = stack.enter_context(ExitStack())
        events = progress.enter_context(shown_events("silent", bars=session.talkative, coloured=False))
        answer = stack.enter_context(answered(session.workspace, connection, sql, bound, options, events))
        progress.close()  # what follows is the answer: no bar may stand on its first line
        if output is not None:
            _write(answer, output, form)
        else:
            _show(answer, form, limit, session.width)
        for text in answer.warnings:
            click.echo(f"warning: {masked(text)}", err=True)
        for table in answer.changed:
            click.echo(f"`changed.{table}` has all rows here: only a step of an interface knows since when", err=True)


def _style_of(style: str | None, output: Path | None) -> str:
    """The format: as asked, or else as the file's name ends (csv otherwise), or else a table."""
    if style is None:
        return "table" if output is None else _ENDINGS.get(output.suffix.lower(), "csv")
    if output is None and style == "parquet":
        raise click.UsageError("`--format parquet` needs `--output FILE`")
    return "csv" if style == "table" and output is not None else style


def _write(answer: Answer, output: Path, style: str) -> None:
    try:
        answer.write(output, style)
    except OSError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{plural(answer.result.rows, 'row')} in {output}", err=True)


def _show(answer: Answer, style: str, limit: int | None, width: int | None) -> None:
    if style != "table":
        answer.send(sys.stdout.buffer, style)
        return
    names, rows = answer.relation.names, answer.rows(limit or _SHOWN)
    if width is None or fits(names, width):
        click.echo(text_table(names, rows, fit=width))
    else:
        click.echo(text_records(names, rows), nl=bool(rows))
    more = answer.result.rows > len(rows)
    count = f"the first {len(rows):,} rows; `--limit` shows more" if more else plural(len(rows), "row")
    click.echo(count, err=True)
