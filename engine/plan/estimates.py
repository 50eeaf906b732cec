"""What the mirrors leave to ask for: the estimates of a plan's reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil

from engine.connector import ACCOUNT, Connector, Mirror, MirrorInstant, Pace, Read, VersionMove

from .types import ConnectionSettings, Estimate
from .watermark import Watermark

Mirrors = Mapping[str, Sequence[Mirror]]
"""By connection: the mirror of each of its accounts, as far as there is one."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known besides the definitions when a plan is made. `now` is this machine's time.

    `instants` are those of the mirrors, by connection; `watermarks` what steps have seen of them, by step.
    """

    now: datetime
    mirrors: Mirrors = field(default_factory=dict)
    instants: Mapping[str, MirrorInstant] = field(default_factory=dict)
    watermarks: Mapping[str, Watermark] = field(default_factory=dict)


def outlook(
    settings: ConnectionSettings, connector: Connector, reads: Sequence[Read], known: Known | None
) -> dict[str, Estimate]:
    """By table: what a run would ask of the connection now, for all of its accounts together.

    The read of what has changed stands under `CHANGES`, and what finds out whose key it is under `ACCOUNT`. Where there
    is no mirror, little is known of tables.
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
                lines = (_moved(move, settings.api_version), *estimates[table].now)
                estimates[table] = replace(estimates[table], now=tuple(dict.fromkeys(lines)))
    return estimates | account


def _account(settings: ConnectionSettings, known: int, page: int) -> Estimate:
    """What it takes to know the accounts that are read. A list of them is taken as it is."""
    if settings.accounts is None:
        return Estimate(1, None, ("whose key it is",))
    if settings.accounts == "all":
        return Estimate(max(1, ceil(known / page)), None, ("which accounts are connected",))
    return Estimate(0, None)


def _moved(move: VersionMove, now: str) -> str:
    """What a moved API version means for a table."""
    retyped = [f"{name} ({before} to {after})" for name, before, after in move.retyped]
    parts = [
        f"{words} {', '.join(names)}"
        for words, names in (("added:", move.added), ("removed:", move.removed), ("retyped:", retyped))
        if names
    ]
    columns = "; columns " + ", ".join(parts) if parts else "; its columns are the same"
    return f"the API version moves from {move.before} to {now}: all of it is read again{columns}"


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
