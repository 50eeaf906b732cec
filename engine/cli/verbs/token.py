"""`weir token`: who may call the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from engine.app.serving.tokens import SCOPES, list_tokens, new_token, revoke_token
from engine.app.state import utc_now
from engine.cli.session import Session, pass_session, project_option
from engine.cli.tables import json_line, text_table

if TYPE_CHECKING:
    from engine.stores import TokenRecord

_LONGEST = timedelta(days=36_600)
_FORMATS = click.Choice(["text", "json"])
_NAMES = ("id", "name", "scopes", "state", "made (UTC)", "expires (UTC)", "last used (UTC)")


@click.group("token", no_args_is_help=True)
def command() -> None:
    """Make, list and revoke the tokens of the API of `weir serve`.

    What is kept of a token is a hash: it is shown once, when it is made.
    """


@command.command("new")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    required=True,
    help="read: look at everything; run: run interfaces and cancel runs; admin: reload. May be repeated.",
)
@click.option("--expires", default="90d", show_default=True, metavar="TIME", help="How long it holds: 12h, 30d, never.")
@click.option("--format", "style", type=_FORMATS, default="text", show_default=True)
@project_option
@pass_session
def new(session: Session, name: str, scopes: tuple[str, ...], expires: str, style: str) -> None:
    """Make a token for NAME, and print it to stdout: nobody can see it again."""
    text, record = new_token(session.workspace, name, scopes, _lifetime(expires))
    if style == "json":
        click.echo(json_line({"token": text, **_json(record)}))
        return
    until = f"until {_moment(record.expires)} UTC" if record.expires is not None else "for ever"
    click.echo(f"`{name}` may {', '.join(record.scopes)}, {until}; keep this, it is not shown again:", err=True)
    click.echo(text)


@command.command("list")
@click.option("--format", "style", type=_FORMATS, default="text", show_default=True)
@project_option
@pass_session
def list_(session: Session, style: str) -> None:
    """List all tokens, the newest first."""
    found = list_tokens(session.workspace)
    if style == "json":
        for record in found:
            click.echo(json_line(_json(record)))
        return
    if not found:
        click.echo("no tokens yet: `weir token new NAME --scope read` makes one", err=True)
        return
    rows = [
        (
            record.id,
            record.name,
            ", ".join(record.scopes),
            _state(record),
            _moment(record.made),
            _moment(record.expires) if record.expires is not None else "never",
            _moment(record.used) if record.used is not None else "never",
        )
        for record in found
    ]
    click.echo(text_table(_NAMES, rows, fit=session.width))


@command.command("revoke")
@click.argument("which", metavar="NAME|ID")
@project_option
@pass_session
def revoke(session: Session, which: str) -> None:
    """End the token with this name or id, for good and at once."""
    record = revoke_token(session.workspace, which)
    click.echo(f"`{record.name}` ({record.id}) is revoked")


def _lifetime(text: str) -> timedelta | None:
    if text == "never":
        return None
    from engine.spec.base import seconds

    try:
        lifetime = timedelta(seconds=seconds(text))
    except (ValueError, OverflowError):
        raise click.UsageError(f"`--expires {text}`: expected a time such as 12h or 30d, or `never`") from None
    if lifetime > _LONGEST:
        raise click.UsageError(f"`--expires {text}`: expected at most {_LONGEST.days:,}d, or `never`")
    return lifetime


def _state(record: TokenRecord) -> str:
    if record.revoked is not None:
        return "revoked"
    return "expired" if record.expires is not None and record.expires <= utc_now() else "holds"


def _json(record: TokenRecord) -> dict[str, object]:
    """All but the hash."""
    return {
        "id": record.id,
        "name": record.name,
        "scopes": list(record.scopes),
        "state": _state(record),
        "made": record.made,
        "expires": record.expires,
        "used": record.used,
    }


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
