"""What the mirrors hold, and how current that is. Offline: nothing is asked of a provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine import duck
from engine.connector import Connector, Coverage, EventInterval, Freshness, Gap, Mirror, holes_between
from engine.plan import ConnectionSettings
from engine.run import StoreError

from ..checking.check import Checked, check_project
from ..errors import Exit, RefusalError
from ..state import utc_now
from ..workspace import Workspace
from .connection import chosen_settings


@dataclass(frozen=True, slots=True)
class TableStatus:
    """One table of an account. `rows` are the live ones. `current_as_of` is the provider's clock, `next_reread` this
    machine's: when the next run reads all of it again (None: never). `holes` are windows that no read has covered, in
    Unix seconds. `partial` says that only some of its rows are there; `stale` that it must be read whole again;
    `optional` that runs may go on without it."""

    name: str
    rows: int
    current_as_of: datetime | None
    freshness: Freshness
    next_reread: datetime | None
    holes: tuple[tuple[int, int], ...]
    partial: bool
    stale: bool
    optional: bool = False


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """One account of a connection: an empty name is the key's own."""

    account: str
    events: EventInterval | None
    gaps: tuple[Gap, ...]
    tables: tuple[TableStatus, ...]


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """One mirror. `size` is the file's, in bytes; None where nothing was read yet. `now` is when this was looked at.
    Steps of a connection that is not `active` are left out of runs."""

    name: str
    size: int | None
    now: datetime
    accounts: tuple[AccountStatus, ...] = field(default=())
    active: bool = True


def connection_status(workspace: Workspace, names: Sequence[str]) -> tuple[Checked, list[ConnectionStatus]]:
    """The status of these connections (all without names). RefusalError for a name that is none, or a busy file."""

    checked = check_project(workspace)
    settings = chosen_settings(workspace, checked, names, inactive=True)
    try:
        found = [_status(workspace, checked, each) for each in settings]
    except StoreError as error:
        raise RefusalError(Exit.BUSY, error.message, error.hint) from None
    return checked, found


def _status(workspace: Workspace, checked: Checked, settings: ConnectionSettings) -> ConnectionStatus:

    file = workspace.paths.staging(settings.name)
    now = utc_now()
    active = checked.project.connections[settings.name].spec.is_active
    if not file.exists():
        return ConnectionStatus(settings.name, None, now, active=active)
    staging = duck.DuckStaging(file, checked.catalogues[settings.name])
    connector = workspace.connectors[settings.connector]
    accounts = tuple(
        _account(mirror, staging.gaps(mirror.account), settings, connector) for mirror in staging.mirrors()
    )
    return ConnectionStatus(settings.name, file.stat().st_size, now, accounts, active)


def _account(
    mirror: Mirror, gaps: tuple[Gap, ...], settings: ConnectionSettings, connector: Connector
) -> AccountStatus:
    names = sorted({each.table for each in mirror.coverage} | set(settings.optional))
    tables = tuple(_table(name, mirror, connector.freshness(name, settings.reread), settings) for name in names)
    return AccountStatus(mirror.account, mirror.events, gaps, tables)


def _table(name: str, mirror: Mirror, freshness: Freshness, settings: ConnectionSettings) -> TableStatus:
    parts = [each for each in mirror.coverage if each.table == name and each.complete]
    valid = [each for each in parts if _is_valid(each, mirror, freshness, settings.api_version)]
    whole = [each for each in valid if each.where == ((),)]
    every = freshness.reread_seconds
    moments = [each.read_at for each in valid if each.read_at is not None]
    following = mirror.events is not None and freshness.followed
    as_of = min((each.as_of for each in valid), default=None)
    return TableStatus(
        name=name,
        rows=mirror.rows.get(name, 0),
        current_as_of=mirror.events.until if following and mirror.events is not None and valid else as_of,
        freshness=freshness,
        next_reread=min(moments) + timedelta(seconds=every) if every and moments else None,
        holes=_holes(whole),
        partial=not any(each.window.gte is None for each in whole),
        stale=not valid,
        optional=name in settings.optional,
    )


def _is_valid(part: Coverage, mirror: Mirror, freshness: Freshness, api_version: str) -> bool:
    """Whether a later run goes on from this: of the same version, and kept current if changes are followed."""
    if part.api_version != api_version:
        return False
    return not freshness.followed or (mirror.events is not None and part.as_of >= mirror.events.since)


def _holes(parts: Sequence[Coverage]) -> tuple[tuple[int, int], ...]:
    """What lies between windows that were read without a filter."""

    holes = holes_between(each.window for each in parts)
    return tuple((each.gte, each.lt) for each in holes if each.gte is not None and each.lt is not None)
