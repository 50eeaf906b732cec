"""Which requests give what boxes need, and which of them a mirror leaves to make."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from engine.connector import CHANGES, Mirror, Need, Op, Pace, Predicate, Read, Request, Window

from .catalogue import API_VERSION, CATALOGUE

PAGE_ROWS: Final = 50


def plan_reads(needs: Sequence[Need]) -> tuple[Read, ...]:
    """One read a table: all of its rows, or those created from the earliest time on that a box needs."""
    found = []
    for name in sorted({need.table for need in needs}):
        own = [need for need in needs if need.table == name]
        columns = CATALOGUE.tables[name].relation.names
        cases = [case for need in own for case in need.where]
        if not cases:
            found.append(Read(name, columns, (), (), "no box needs a row", options={"gte": None, "holes": []}))
            continue
        bounds = [_earliest(case) for case in cases]
        gte = None if None in bounds else min(bound for bound in bounds if bound is not None)
        where = ((),) if gte is None else ((Predicate("created", Op.GE, (gte,)),),)
        why = "all rows are needed" if gte is None else "the list takes the bound of `created`"
        found.append(_read(name, columns, where, why, gte, [Window(gte)]))
    return tuple(found)


def refresh_reads(reads: Sequence[Read], mirror: Mirror, pace: Pace) -> tuple[Read, ...]:
    """See `Connector.refresh`: the holes of each table, and the changes since the last run."""
    since = mirror.events.since if mirror.events is not None and pace.events else None
    found = [_refreshed(read, mirror, pace, since) for read in reads]
    if pace.events and any(read.requests for read in reads):
        found.append(_changes(mirror, pace))
    return tuple(sorted(found, key=lambda read: (read.table == CHANGES, read.table)))


def _refreshed(read: Read, mirror: Mirror, pace: Pace, since: datetime | None) -> Read:
    options = _options(read)
    known = [
        each
        for each in mirror.coverage
        if each.table == read.table
        and each.complete
        and each.where == ((),)
        and each.api_version == API_VERSION
        and since is not None
        and each.as_of >= since
    ]
    after = pace.reread.get(read.table)
    ages = [(pace.now - each.read_at).total_seconds() for each in known if each.read_at is not None]
    if not read.requests or not known or (after is not None and (after == 0 or max(ages, default=0) >= after)):
        return read
    holes = Window(options["gte"]).without(each.window for each in known)
    why = "reads what the mirror lacks" if holes else "the mirror has it, and changes keep it current"
    return _read(read.table, read.columns, read.where, why, options["gte"], holes)


def _changes(mirror: Mirror, pace: Pace) -> Read:
    interval = mirror.events
    covered = sorted({each.table for each in mirror.coverage if each.complete})
    options: dict[str, Any] = {
        "since": int(interval.until.timestamp()) if interval is not None else None,
        "tables": covered,
        "lost": pace.lost.isoformat() if pace.lost is not None else None,
    }
    if interval is None:
        request, why = Request("GET", "/v1/changes", {"limit": "1"}), "changes are followed from now on"
        return Read(CHANGES, (), (), (request,), why, options=options, cost=1)
    request = Request("GET", "/v1/changes", {"since": str(options["since"])})
    return Read(CHANGES, (), (), (request,), "what has changed since", options=options, cost=1)


def _read(
    name: str,
    columns: tuple[str, ...],
    where: tuple[tuple[Predicate, ...], ...],
    why: str,
    gte: int | None,
    holes: Sequence[Window],
) -> Read:
    requests = tuple(Request("GET", f"/v1/{name}", _bounds(hole)) for hole in holes)
    options = {"gte": gte, "holes": [[hole.gte, hole.lt] for hole in holes]}
    return Read(name, columns, where, requests, why, options=options, cost=None if requests else 0)


def _bounds(hole: Window) -> dict[str, str]:
    given = {"created_gte": hole.gte, "created_lt": hole.lt}
    return {name: str(value) for name, value in given.items() if value is not None}


def _earliest(case: Sequence[Predicate]) -> int | None:
    bounds = [
        each.values[0]
        for each in case
        if each.column == "created" and each.op in (Op.GE, Op.GT) and isinstance(each.values[0], int)
    ]
    return max((int(bound) for bound in bounds), default=None)


def _options(read: Read) -> dict[str, Any]:
    return dict(read.options or {})
