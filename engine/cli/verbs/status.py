"""`weir status`: what the mirrors hold, and how current that is."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from engine.app.mirrors.status import connection_status
from engine.cli.findings import warn
from engine.cli.refusals import findings_shown
from engine.cli.session import Session, pass_session, project_option
from engine.cli.tables import json_line, text_table
from engine.diagnostics import plural

if TYPE_CHECKING:
    from engine.app.mirrors.status import AccountStatus, ConnectionStatus, TableStatus

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@click.command("status")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@project_option
@pass_session
def command(session: Session, names: tuple[str, ...], style: str) -> None:
    """Say what the mirror of each connection (all without NAME) holds: rows, how current they are, gaps, size.

    Nothing is asked of the provider. The same facts can be queried: `weir query NAME "SELECT * FROM weir.coverage"`.
    """
    with findings_shown(session):
        checked, found = connection_status(session.workspace, names)
    warn(checked, session)
    for status in found:
        click.echo(json_line(_as_json(status)) if style == "json" else _text(status, session))


def _text(status: ConnectionStatus, session: Session) -> str:
    name = click.style(status.name, bold=True) if session.coloured else status.name
    name += "" if status.active else " (inactive: runs leave its steps out)"
    if status.size is None:
        return f"{name}: nothing was read yet"
    lines = [f"{name}: {_size(status.size)}"]
    for account in status.accounts:
        lines += _account(account, status.now, session)
    return "\n".join(lines)


def _account(account: AccountStatus, now: datetime, session: Session) -> list[str]:
    lines = [f"account {account.account}"] if account.account else []
    if account.events is not None:
        ago = _span(now - account.events.read_at)
        lines.append(f"changes are followed since {_moment(account.events.since)}; applied up to ")
        lines[-1] += f"{_moment(account.events.until)}, {ago} ago"
    lines += [f"gap: no events from {_moment(gap.since)} to {_moment(gap.until)}" for gap in account.gaps]
    rows = [
        (
            table.name,
            f"{table.rows:,}",
            _moment(table.current_as_of) if table.current_as_of else "",
            _holds(table) + (" (optional)" if table.optional else ""),
            _next(table, now),
            table.freshness.kind,
        )
        for table in account.tables
    ]
    names = ("table", "rows", "current as of (UTC)", "holds", "next full read", "class")
    return [*lines, text_table(names, rows, fit=session.width)]


def _holds(table: TableStatus) -> str:
    if table.stale and table.optional and not table.rows:
        return "nothing"
    if table.stale:
        return "must be read whole again"
    if table.holes:
        return f"{plural(len(table.holes), 'gap')} in the rows read"
    return "a part" if table.partial else "all"


def _next(table: TableStatus, now: datetime) -> str:
    if table.freshness.reread_seconds == 0:
        return "each run"
    if table.next_reread is None:
        return ""
    return "due" if table.next_reread <= now else f"in {_span(table.next_reread - now)}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _span(span: timedelta) -> str:
    """The two largest units of a span."""
    left = max(int(span.total_seconds()), 0)
    parts = []
    for seconds, unit in _UNITS:
        if left >= seconds:
            parts.append(f"{left // seconds} {unit}")
            left %= seconds
    return " ".join(parts[:2]) or "0 s"


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size:,} bytes"


def _as_json(status: ConnectionStatus) -> dict[str, object]:
    return {
        "connection": status.name,
        "active": status.active,
        "bytes": status.size,
        "accounts": [
            {
                "account": account.account or None,
                "events": asdict(account.events) if account.events is not None else None,
                "gaps": [asdict(gap) for gap in account.gaps],
                "tables": [
                    {
                        **asdict(table),
                        "holes": [list(hole) for hole in table.holes],
                    }
                    for table in account.tables
                ],
            }
            for account in status.accounts
        ],
    }
