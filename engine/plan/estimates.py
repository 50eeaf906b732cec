"""Estimates of a plan's reads: what is not in the mirrors yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil

from engine.connector import ACCOUNT, Connector, Mirror, MirrorInstant, Pace, Read, VersionMove

from .types import ConnectionSettings, Estimate
from .watermark import Watermark

Mirrors = Mapping[str, Sequence[Mirror]]
"""By connection: the mirrors of its accounts that have one."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known besides the definitions when a plan is made. `now` is this machine's time.

    `positions` are those of the mirrors, by connection; `watermarks` are the positions that steps have read, by step.
    """

    now: datetime
    mirrors: Mirrors = field(default_factory=dict)
    positions: Mapping[str, MirrorInstant] = field(default_factory=dict)
    watermarks: Mapping[str, Watermark] = field(default_factory=dict)


def outlook(
    settings: ConnectionSettings, connector: Connector, reads: Sequence[Read], known: Known | None
) -> dict[str, Estimate]:
    """By table: the requests that a run would send to the connection now, summed over its accounts.

    The read of changes is under `CHANGES`, the look-up of the key's account under `ACCOUNT`. Without a mirror, the
    requests of most tables are unknown.
    """
    mirrors = known.mirrors.get(settings.name, ()) if known is not None else ()
    account = {ACCOUNT: _account(settings, len(mirrors), connector.page_rows)} if reads else {}
    if known is None or not mirrors:
        return {read.table: _without_mirror(read, connector.page_rows) for read in reads} | account
    pace = Pace(known.now, settings.reread)
    found: dict[str, list[tuple[Mirror, Read]]] = {}
    for mirror in mirrors:
        for read in connector.refresh(reads, mirror, pace):
            found.setdefault(read.table, []).append((mirror, read))
    wanted = {read.table: read for read in reads}
    estimates = {table: _estimate(wanted.get(table), each, connector.page_rows) for table, each in found.items()}
    for mirror in mirrors:
        for table, move in mirror.moves.items():
            if table in estimates:
                lines = (_upgraded(move, settings.api_version), *estimates[table].now)
                estimates[table] = replace(estimates[table], now=tuple(dict.fromkeys(lines)))
    return estimates | account


def _account(settings: ConnectionSettings, known: int, page: int) -> Estimate:
    """The requests that determine the accounts to read. A list of accounts needs none."""
    if settings.accounts is None:
        return Estimate(1, None, ("account of the key",))
    if settings.accounts == "all":
        return Estimate(max(1, ceil(known / page)), None, ("connected accounts",))
    return Estimate(0, None)


def _upgraded(move: VersionMove, now: str) -> str:
    """The effect of an upgraded API version on a table."""
    retyped = [f"{name} ({before} to {after})" for name, before, after in move.retyped]
    parts = [
        f"{words} {', '.join(names)}"
        for words, names in (("added:", move.added), ("removed:", move.removed), ("retyped:", retyped))
        if names
    ]
    columns = "; columns " + ", ".join(parts) if parts else "; no column changes"
    return f"full read: the API version changes from {move.before} to {now}{columns}"


def _without_mirror(read: Read, page: int) -> Estimate:
    if not read.requests:
        return Estimate(0, 0)
    if read.limit is not None and not any(request.per for request in read.requests):
        return Estimate(len(read.requests) * max(1, ceil(read.limit / page)), read.limit)
    return Estimate(None, None)


def _estimate(wanted: Read | None, found: Sequence[tuple[Mirror, Read]], page: int) -> Estimate:
    costs = [_cost(read, page) for _, read in found]
    requests = None if None in costs else sum(cost or 0 for cost in costs)
    rows = [mirror.rows.get(read.table) for mirror, read in found]
    as_wanted = wanted is not None and all(read.requests == wanted.requests for _, read in found)
    lines = () if as_wanted else tuple(dict.fromkeys(_line(read) for _, read in found))
    if not as_wanted:
        return Estimate(requests, None, lines)
    return Estimate(requests, None if None in rows else sum(number or 0 for number in rows), lines)


def _cost(read: Read, page: int) -> int | None:
    return read.cost if read.cost is not None else _without_mirror(read, page).requests


def _line(read: Read) -> str:
    asked = ", ".join(
        f"{request.method} {request.path}" + (f"?{_query(request.params)}" if request.params else "")
        for request in read.requests
        if request.per is None
    )
    return f"{read.why}: {asked}" if asked else read.why


def _query(params: Mapping[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in params.items())
