"""How each table is kept up to date: which changes emit events, which do not, and how often it is read again.

Facts about Stripe, written by hand from its documentation; the class of a table (`Table.sync`) is in the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.connector import Freshness, Op, Predicate

from ..catalogue import PageStyle, SyncClass, Table, load_catalogue

HOUR: Final = 3_600.0
DAY: Final = 24 * HOUR
RETENTION: Final = 30 * DAY
"""How long Stripe lists events."""
OVERLAP: Final = 300
"""This many seconds are read again: the newest objects may not have been listed yet."""
LATEST: Final = int(HOUR)
"""An event may be seen this many seconds late: the first run of each hour reads again from this long before the latest
run that looked back."""

OPEN: Final[Mapping[str, tuple[tuple[Predicate, ...], ...]]] = {
    "balance_transactions": ((Predicate("status", Op.EQ, ("pending",)),),),
}
"""Rows that are not final, in tables whose changes emit no events."""

_REREAD: Final[Mapping[str, float | None]] = {
    "balance_transactions": 7 * DAY,  # only `pending` ones change, and those are read again by each run
    "events": None,  # never change
    "forwarding_requests": None,
    "identity_verification_reports": None,
}
_BY_CLASS: Final[Mapping[SyncClass, float | None]] = {
    SyncClass.EVENTS: None,
    SyncClass.EVENTS_REREAD: DAY,
    SyncClass.CREATED_REREAD: DAY,
    SyncClass.PARENTS: 7 * DAY,
    SyncClass.SNAPSHOT: 0.0,
}

ON_A_CLOCK: Final = frozenset({"customers", "quotes", "subscription_schedules", "subscriptions"})
"""Tables whose list omits objects on a test clock, unless a filter names the clock."""
OF_PARENTS_ONLY: Final[Mapping[str, str]] = {"tax_ids": "customer"}
"""Tables that omit the objects which have this field: they are rows of another table."""


def emits_events(table: Table) -> bool:
    """Whether changes of its rows show in `/v1/events`, wholly or in part."""
    if table.sync not in (SyncClass.EVENTS, SyncClass.EVENTS_REREAD) or table.page is PageStyle.V2:
        return False
    known = load_catalogue().events
    return table.retrieve is not None and any(known[each].snapshot for each in table.events if each in known)


def reread_seconds(table: Table, asked: Mapping[str, float | None]) -> float | None:
    """After how many seconds all rows are read again; None: never. A definition's own setting goes first."""
    if table.name in asked:
        return asked[table.name]
    if table.sync is SyncClass.PARENTS and table.embedded is not None:
        return None  # comes with its parent
    if table.sync in (SyncClass.EVENTS, SyncClass.EVENTS_REREAD) and not emits_events(table):
        return 0.0
    return _REREAD.get(table.name, _BY_CLASS[table.sync])


def freshness_of(name: str, asked: Mapping[str, float | None]) -> Freshness:
    """See `Connector.freshness`."""
    tables = load_catalogue().tables
    table = tables[name]
    every = reread_seconds(table, asked)
    leader = tables[table.parents[0].table] if table.parents else table
    return Freshness(table.sync.value, _seen(table, every), every, emits_events(leader) and every != 0)


def _seen(table: Table, every: float | None) -> str:
    if every == 0:
        return "read whole by every run"
    again = f"within {_words(every)}" if every is not None else "never, unless it is read whole"
    if table.sync is SyncClass.PARENTS:
        parent = table.parents[0].table
        own = "" if every is None else f"; changes that {parent} do not show are seen {again}"
        return f"kept with {parent}{own}"
    if table.sync is SyncClass.EVENTS:
        return "every change emits an event: seen by the next run"
    if table.sync is SyncClass.EVENTS_REREAD:
        return f"changes that emit an event are seen by the next run, edits without one {again}"
    if table.name in OPEN:
        return f"new rows and rows that are not final are seen by the next run, other edits {again}"
    return f"new rows are seen by the next run, edits {again}"


def _words(seconds: float) -> str:
    if seconds % DAY == 0 and seconds > DAY:
        return f"{seconds / DAY:g} days"
    return f"{seconds / HOUR:g} h" if seconds >= HOUR else f"{seconds / 60:g} min"
