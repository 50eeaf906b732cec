"""`weir catalog`: what a connector can read, and what it can write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from engine.app.authoring.catalogue import describe, list_tables, unreadable
from engine.app.authoring.writable import describe_entity, describe_function, is_function, list_writable
from engine.cli.session import Session, pass_session, project_option
from engine.cli.tables import json_line, text_table
from engine.connector.installed import DEFAULT_CONNECTOR
from engine.diagnostics import plural

_LONG = ("path", "events")
"""What the list leaves to the page of a table: the name says as much, and lines stay readable."""


@click.command("catalog")
@click.argument("table", required=False, metavar="[TABLE|FUNCTION]")
@click.option(
    "--connector",
    default=DEFAULT_CONNECTOR,
    show_default=True,
    metavar="NAME",
    help="The kind of system (`weir connectors`).",
)
@click.option("--search", metavar="TEXT", help="Only what has TEXT in its name: tables, columns, entities, parameters.")
@click.option("--writes", is_flag=True, help="What can be written: entities and functions; of TABLE the parameters.")
@click.option("--unreadable", "missing", is_flag=True, help="The lists that are no tables, and why.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@project_option
@pass_session
def command(
    session: Session,
    table: str | None,
    connector: str,
    search: str | None,
    writes: bool,
    missing: bool,
    style: str,
) -> None:
    """Show the tables that SQL boxes can read; with TABLE its columns, types, filters, events and writes.

    With --writes: what exports and calls can write. With FUNCTION (such as `invoices.finalize`): its parameters.
    """
    if missing and (writes or table is not None):
        raise click.UsageError("`--unreadable` stands alone")
    if missing:
        _unreadable(connector, style)
    elif table is None:
        show = _writable if writes else _tables
        show(connector, search, style, session.width)
    elif is_function(connector, table):
        _function(describe_function(connector, table, search), style, coloured=session.coloured)
    elif writes:
        _entity(describe_entity(connector, table, search), style, coloured=session.coloured)
    else:
        found = describe(connector, table)
        if search:
            found["columns"] = [column for column in found["columns"] if search.lower() in column["name"].lower()]
        click.echo(json_line(found) if style == "json" else _description(found, coloured=session.coloured))


def _unreadable(connector: str, style: str) -> None:
    lists = unreadable(connector)
    names = ("list", "why it is no table")
    click.echo(json_line(lists) if style == "json" else text_table(names, lists.items(), widest=None))


def _function(found: Mapping[str, Any], style: str, *, coloured: bool) -> None:
    from engine.cli.writable import render_function  # not at the top: what reads need is loaded in half the time

    click.echo(json_line(found) if style == "json" else render_function(found, coloured=coloured))


def _entity(found: Mapping[str, Any], style: str, *, coloured: bool) -> None:
    from engine.cli.writable import render_entity

    click.echo(json_line(found) if style == "json" else render_entity(found, coloured=coloured))


def _writable(connector: str, search: str | None, style: str, width: int | None) -> None:
    from engine.cli.writable import render_writable, summary_line

    found = list_writable(connector, search)
    if style == "json":
        click.echo(json_line(found))
        return
    if not any(found.values()):
        click.echo(f"no entity or function has `{search}` in its name", err=True)
        return
    click.echo(render_writable(found, width))
    click.echo(summary_line(found), err=True)


def _tables(connector: str, search: str | None, style: str, width: int | None) -> None:
    rows = list_tables(connector, search)
    if style == "json":
        click.echo(json_line(rows))
        return
    if not rows:
        click.echo(f"no table or column has `{search}` in its name", err=True)
        return
    names = ["name", "columns", "found"] if search else [name for name in rows[0] if name not in _LONG]
    click.echo(text_table(names, ([_joined(row[name]) for name in names] for row in rows), fit=width))
    click.echo(f"{plural(len(rows), 'table')}; `weir catalog TABLE` shows one", err=True)


def _description(found: Mapping[str, Any], *, coloured: bool) -> str:
    title = click.style(str(found["name"]), bold=True) if coloured else str(found["name"])
    facts = [
        (name.replace("_", " "), _joined(found[name]))
        for name in ("path", "reached", "resources", "key", "sync", "permission", "hidden")
        if found.get(name)
    ]
    lines = [title, *(f"  {name:<11}{value}" for name, value in facts), ""]
    columns = [*found["columns"], *found.get("system_columns", ())]
    lines.append(text_table(("column", "type", "null", "filters", "holds"), (_column(column) for column in columns)))
    if found.get("writes"):
        rows = ((w["verb"], f"{w['method']} {w['path']}", w["effect"]) for w in found["writes"])
        lines += ["", text_table(("write", "request", "effect"), rows)]
    if found.get("events"):
        lines += ["", f"events: {_joined(found['events'])}"]
    return "\n".join(lines)


def _column(column: Mapping[str, Any]) -> tuple[str, ...]:
    holds = str(column.get("holds") or "")
    if column.get("references"):
        holds += f" → {_joined(column['references'])}"
    elif column.get("values"):
        holds += f": {_joined(column['values'])}"
    nullable = "null" if column["nullable"] else ""
    return column["name"], column["type"], nullable, _joined(column.get("filters", ())), holds


def _joined(value: Any) -> str:
    if isinstance(value, str) or not isinstance(value, Iterable):
        return str(value)
    return ", ".join(str(item) for item in value)
