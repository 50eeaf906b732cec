"""What a connector can read, for people: rich where the connector describes itself, otherwise from its catalogue."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from engine.connector import SourceCatalogue
from engine.connector.installed import installed_connectors
from engine.diagnostics import did_you_mean

from ..errors import Exit, RefusalError


def list_tables(connector: str, search: str | None = None) -> list[dict[str, Any]]:
    """A row for each table, in order of name. With `search` only those with it in their name or a column's.

    The columns are then listed as `found`.
    """
    rows = _summaries(connector)
    if search is None:
        return rows
    wanted, tables = search.casefold(), find_catalogue(connector).tables
    for row in rows:
        names = tables[row["name"]].relation.names
        row["found"] = [name for name in names if wanted in name and not name.startswith("_")]
    return [row for row in rows if row["found"] or wanted in row["name"]]


def _summaries(connector: str) -> list[dict[str, Any]]:
    if connector == "stripe":
        from engine.connectors.stripe.describe import summarise_tables

        return [asdict(summary) for summary in summarise_tables()]
    tables = find_catalogue(connector).tables.values()
    return [
        {"name": table.name, "columns": len(table.relation), "filters": tuple(table.filters)}
        for table in sorted(tables, key=lambda table: table.name)
    ]


def unreadable(connector: str) -> dict[str, str]:
    """The provider's lists that are no tables, with the reason."""
    return dict(find_catalogue(connector).unreadable)


def describe(connector: str, table: str) -> dict[str, Any]:
    """Everything about one table. RefusalError with near names when there is none."""
    catalogue = find_catalogue(connector)
    if table not in catalogue.tables:
        hint = did_you_mean(table, catalogue.tables) or "`weir catalog` lists all tables"
        raise RefusalError(Exit.USAGE, f"`{connector}` has no table `{table}`", hint)
    if connector == "stripe":
        from engine.connectors.stripe.describe import describe_table

        return asdict(describe_table(table))
    found = catalogue.tables[table]
    columns = [
        {"name": column.name, "type": str(column.type), "nullable": not column.required, "holds": column.description}
        for column in found.relation
    ]
    return {"name": found.name, "reached": found.description, "key": found.key, "columns": columns}


def find_catalogue(connector: str) -> SourceCatalogue:
    """What this connector reads and writes. RefusalError with near names when there is no such connector."""
    connectors = installed_connectors()
    if connector not in connectors:
        hint = did_you_mean(connector, connectors) or "`weir connectors` lists them"
        raise RefusalError(Exit.USAGE, f"no connector `{connector}`", hint)
    return connectors[connector].catalogue(None)
