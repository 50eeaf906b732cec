"""Events: one cursor for each account keeps its whole mirror current, whatever a run needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from engine.connector import CHANGES, Coverage, EventInterval, Read, Request

from ..catalogue import SyncClass, load_catalogue
from ..planning.read_options import (
    AccountEvents,
    Follow,
    Kept,
    Listed,
    RootOptions,
    TableOptions,
    encode_options,
    follow_of,
    options_of,
    variants_of,
)
from ..planning.reads import PAGE_SIZE, plan_reads_of
from .covered import live_coverage
from .held import Held, changed, is_unfiltered, parent_of, partial, table_of
from .sync_rules import HOUR, LATEST, OF_PARENTS_ONLY, ON_A_CLOCK, OVERLAP, emits_events


def needs_events(held: Held, found: Iterable[Read]) -> bool:
    """Whether one of these reads needs the account's events, now or the next time."""
    return held.pace.events and any(_needs_events(read) for read in found)


def _needs_events(read: Read) -> bool:
    options = options_of(read)
    if isinstance(options, Listed) and options.limit is None and emits_events(table_of(read)):
        return True
    return follow_of(options) is not None


def with_events(held: Held, found: Sequence[Read]) -> list[Read]:
    """The reads of a run with that of the account's events, and with all that these must keep current.

    The cursor passes over each event once. So every table of the mirror that is kept current takes part: those that the
    run reads in another way, those that it does not need, and those below either.
    """
    reads = [_followed(held, read) for read in found]
    present = {read.table for read in reads}
    claimed = {each.table for each in held.mirror.coverage if each.complete}
    carried = {name for each in held.mirror.coverage if each.complete for name in each.carried}
    names = (claimed | carried) & load_catalogue().tables.keys()
    absent = [held.with_expansions(read) for read in plan_reads_of(sorted(names - present)) if read.table in names]
    reads += [_bystander(held, read) for read in absent if read.table not in present and _is_live_root(held, read)]
    roots = {read.table for read in reads}
    # Those that are due are kept current, too: a `reread` of never relies on what they claim.
    hanging = [
        read
        for read in absent
        if parent_of(read) in roots and (held.has_whole(read, due=True) or held.has_carried(read))
    ]
    below: dict[str, list[str]] = {}
    for read in hanging:
        below.setdefault(parent_of(read), []).append(read.table)
    reads = [_carrying(read, below.get(read.table, ())) for read in reads]
    return [*reads, *(partial(read) for read in hanging), changes_read(held)]


def _carrying(read: Read, tables: Sequence[str]) -> Read:
    """The read with these further tables, whose rows come with each of its own."""
    options = options_of(read)
    if not tables or not isinstance(options, RootOptions):
        return read
    return changed(read, carries=tuple(sorted({*options.carries, *tables})))


def _followed(held: Held, read: Read) -> Read:
    """A read that does not use the mirror; what the mirror has of its table must still be kept current."""
    if follow_of(options_of(read)) is not None or not _is_live_root(held, read):
        return read
    return changed(read, follow=follow(held, read, []))


def _bystander(held: Held, read: Read) -> Read:
    """A table that is kept current although this run does not need it."""
    options = options_of(read)
    live = live_coverage(held.mirror, table_of(read), held.current_since)
    following = follow(held, read, _end_of(live, options))
    kept = Kept(table=options.table, expanded=options.expanded, follow=following)
    return replace(read, options=encode_options(kept), requests=(), cost=0)


def _is_live_root(held: Held, read: Read) -> bool:
    """Whether events reach the table, and the mirror has a part of it that was kept current so far."""
    table = table_of(read)
    return emits_events(table) and bool(live_coverage(held.mirror, table, held.current_since))


def follow(held: Held, read: Read, newer: Sequence[int]) -> Follow:
    """How its changes are followed. Rows created from `newer` on are left to its lists, if these return all of them: a
    filter could omit what has changed."""
    table = table_of(read)
    expand = {f"expand[{place}]": name for place, name in enumerate(options_of(read).expanded)}
    on_a_clock = table.name in ON_A_CLOCK and not any(
        predicate.column == "test_clock"
        for each in held.mirror.coverage
        if each.table == table.name
        for case in each.where
        for predicate in case
    )
    return Follow(
        payload=table.sync is SyncClass.EVENTS and not expand,
        version=load_catalogue().api_version,
        path=table.retrieve or "",
        params=expand,
        newer=min(newer, default=None) if is_unfiltered(read) else None,
        on_a_clock=on_a_clock,
        not_with=OF_PARENTS_ONLY.get(table.name),
    )


def changes_read(held: Held) -> Read:
    """The read of events: of what happened since they were applied last, or only a note of when they begin."""
    interval = held.mirror.events
    usable = held.events_usable
    lost = held.pace.lost or (interval.until if interval is not None and not usable else None)
    settled = int(interval.until.timestamp()) if interval is not None and usable else None
    looks_back = interval is not None and _looks_back(held, interval)
    since = _read_from(interval, settled, looks_back) if interval is not None and settled is not None else None
    options = AccountEvents(
        since=since,
        settled=settled,
        looks_back=looks_back,
        applied=tuple(each for each, created in held.mirror.applied if since is not None and created >= since),
        lost=lost,
    )
    request = Request("GET", "/v1/events", {"created[gte]": str(since), "limit": str(PAGE_SIZE)})
    return Read(
        table=CHANGES,
        columns=(),
        where=(),
        requests=(request,) if since is not None else (),
        why="what has changed since" if since is not None else "changes are followed from this run on",
        options=encode_options(options),
        cost=1 if since is not None else 0,
    )


def _looks_back(held: Held, interval: EventInterval) -> bool:
    """Whether events are sought that came late: by the first run of an hour of this machine's clock."""
    return interval.read_at.timestamp() // HOUR != held.pace.now.timestamp() // HOUR


def _read_from(interval: EventInterval, settled: int, looks_back: bool) -> int:
    """From when on events are read (again). Late ones happened up to an hour before they were sought last, however long
    ago that was: this machine's clock may have stood still. But not before the interval: lists were read after the
    events from then."""
    if not looks_back:
        return settled - OVERLAP
    before = settled - LATEST if interval.looked_back is None else int(interval.looked_back.timestamp())
    return max(before - LATEST, int(interval.since.timestamp()) - OVERLAP)


def _end_of(live: Sequence[Coverage], options: TableOptions) -> list[int]:
    """From when on a table's own list will return new rows, when it is needed next; nothing where it may not."""
    wheres = [each.where for each in variants_of(options)]
    ends = [each.window.lt for each in live]
    if any(each.where[0] not in wheres for each in live) or None in ends:
        return []
    return [max(end for end in ends if end is not None) - OVERLAP]
