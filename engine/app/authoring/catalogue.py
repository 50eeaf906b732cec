"""What a connector can read, for people."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from engine.connector import Connector, SourceCatalogue
from engine.connector.installed import installed_connectors
from engine.diagnostics import did_you_mean

from ..errors import Exit, RefusalError


def list_tables(connector: str, search: str | None = None) -> list[dict[str, Any]]:
    """A row for each table, in order of name. With `search` only those with it in their name or a column's.

    The columns are then listed as `found`.
    """
    rows = [asdict(summary) for summary in find_connector(connector).summaries()]
    if search is None:
        return rows
    wanted, tables = search.casefold(), find_catalogue(connector).tables
    for row in rows:
        names = tables[row["name"]].relation.names
        row["found"] = [name for name in names if wanted in name and not name.startswith("_")]
    return [row for row in rows if row["found"] or wanted in row["name"]]


def unreadable(connector: str) -> dict[str, str]:
    """The provider's lists that are no tables, with the reason."""
    return dict(find_catalogue(connector).unreadable)


def describe(connector: str, table: str) -> dict[str, Any]:
    """Everything about one table. RefusalError with near names when there is none."""
    catalogue = find_catalogue(connector)
    if table not in catalogue.tables:
        hint = did_you_mean(table, catalogue.tables) or "`weir catalog` lists all tables"
        raise RefusalError(Exit.USAGE, f"`{connector}` has no table `{table}`", hint)
    return asdict(find_connector(connector).describe(table))


def find_catalogue(connector: str) -> SourceCatalogue:
    """What this connector reads and writes. RefusalError with near names when there is no such connector."""
    return find_connector(connector).catalogue(None)


def find_connector(connector: str) -> Connector:
    """The connector of this name. RefusalError with near names when there is none."""
    connectors = installed_connectors()
    if connector not in connectors:
        hint = did_you_mean(connector, connectors) or "`weir connectors` lists them"
        raise RefusalError(Exit.USAGE, f"no connector `{connector}`", hint)
    return connectors[connector]
