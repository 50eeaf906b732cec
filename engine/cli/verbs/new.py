"""`weir new`: another connection, interface or schema."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import click

from engine.app.authoring.scaffold import NAME, connection_text, interface_text, schema_text, write_definition
from engine.cli.refusals import findings_shown
from engine.cli.session import Session, pass_session, project_option
from engine.connector.installed import DEFAULT_CONNECTOR, secret_policy

if TYPE_CHECKING:
    from engine.relation import Column


def _name(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and re.fullmatch(NAME, value) is None:
        raise click.BadParameter("expected lower_snake: a letter, then letters, digits and `_`")
    return value


def _asked(value: str | None, question: str, option: str, **settings: Any) -> str:
    """The option's value; on a terminal the answer to a question; otherwise a usage error that names the option."""
    if value is not None:
        return value
    if sys.stdin.isatty():
        return str(click.prompt(question, err=True, **settings))
    raise click.UsageError(f"`{option}` is missing")


@click.group("new")
@project_option
def command() -> None:
    """Write a new definition. What the options do not say is asked on a terminal."""


@command.command("connection")
@click.argument("name", required=False, callback=_name)
@click.option("--connector", metavar="NAME", help="The kind of system (`weir connectors`).")
@click.option("--secret-env", metavar="VARIABLE", help="The environment variable that will hold the key.")
@click.option("--sandbox/--no-sandbox", default=False, help="Point it at the embedded sandbox.")
@project_option
@pass_session
def connection(
    session: Session, name: str | None, connector: str | None, secret_env: str | None, sandbox: bool
) -> None:
    """Add a connection. The key is never asked for: only the name of the variable that will hold it."""
    from engine.app.authoring.catalogue import find_connector

    chosen = _checked(_asked(name, "name", "NAME"))
    kind = _asked(connector, "connector", "--connector", default=DEFAULT_CONNECTOR)
    found = find_connector(kind)
    if sandbox and not found.has_sandbox:
        raise click.UsageError(f"`--sandbox`: the embedded sandbox does not simulate `{kind}`")
    variable = _asked(secret_env, "environment variable of the key", "--secret-env", default=found.key_variable)
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,100}", variable) is None or secret_policy().holds(variable):
        raise click.UsageError("`--secret-env`: expected the name of a variable, not the key itself")
    _written(session, "connection", chosen, connection_text(chosen, kind, variable, sandbox=sandbox))


@command.command("interface", short_help="Add an interface with one import.")
@click.argument("name", required=False, callback=_name)
@click.option("--connection", "source", metavar="NAME", help="The connection that is read.")
@click.option("--into", metavar="TABLE", help="The table that is written; otherwise the one named like the interface.")
@click.option("--sql", metavar="SELECT", help="The SQL box.")
@project_option
@pass_session
def interface(session: Session, name: str | None, source: str | None, into: str | None, sql: str | None) -> None:
    """Add an interface with one import; columns are mapped by equal names."""
    chosen = _checked(_asked(name, "name", "NAME"))
    text = interface_text(
        chosen,
        _checked(_asked(source, "connection", "--connection")),
        _checked(into or chosen),
        _asked(sql, "SQL", "--sql"),
    )
    _written(session, "interface", chosen, text)


@command.command("schema", short_help="Add a table, by its columns or by what a SQL box yields.")
@click.argument("name", required=False, callback=_name)
@click.option("--column", "columns", multiple=True, metavar="NAME:TYPE", help="A column; may be repeated.")
@click.option("--key", "keys", multiple=True, metavar="COLUMN", help="A column of the key; may be repeated.")
@click.option(
    "--from-query",
    nargs=2,
    metavar="CONNECTION SQL",
    help="Take the columns that this SQL box yields; offline.",
)
@project_option
@pass_session
def schema(
    session: Session,
    name: str | None,
    columns: tuple[str, ...],
    keys: tuple[str, ...],
    from_query: tuple[str, str] | None,
) -> None:
    """Add a table of the Schema, from columns or from what a SQL box yields."""
    chosen = _checked(_asked(name, "name", "NAME"))
    if from_query is not None:
        from engine.app.running.query import box_columns

        with findings_shown(session):
            found = [_yielded(column) for column in box_columns(session.workspace, *from_query)]
    else:
        listed = columns or tuple(_asked(None, "columns (name:type …)", "--column").split())
        found = [_column(text) for text in listed]
    names = [column for column, _ in found]
    for key in keys:
        if key not in names:
            raise click.UsageError(f"`--key {key}`: no such column; there are {', '.join(names)}")
    _written(session, "schema", chosen, schema_text(chosen, found, keys))


def _yielded(column: Column) -> tuple[str, str]:
    """A box's column as a table holds it: maps, which only sources have, as json."""
    from engine.relation import Kind

    if re.fullmatch(NAME, column.name) is None:
        raise click.UsageError(f"the SQL yields a column `{column.name}`: name it in lower_snake, as in `… AS name`")
    return column.name, "json" if column.type.kind is Kind.MAP else str(column.type)


def _column(text: str) -> tuple[str, str]:
    from engine.relation import ColumnType

    name, _, column_type = text.partition(":")
    try:
        return _checked(name), str(ColumnType.parse(column_type or "text"))
    except ValueError as error:
        raise click.UsageError(f"`--column {text}`: {error}") from None


def _checked(name: str) -> str:
    if re.fullmatch(NAME, name) is None:
        raise click.UsageError(f"`{name}`: expected lower_snake: a letter, then letters, digits and `_`")
    return name


def _written(session: Session, kind: str, name: str, text: str) -> None:
    path = write_definition(session.root, kind, name, text)
    click.echo(str(path.relative_to(session.root)))
    click.echo("`weir validate` checks it", err=True)
    if kind == "interface":
        click.echo(f"`weir test {name}` says how to write its first case", err=True)
