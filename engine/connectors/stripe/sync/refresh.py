"""What must be requested now: the reads of a plan, less what the mirror has, and what has changed since.

A family is a list with the tables that are read once for each of its rows. It continues from the mirror when all of it
is there and kept current, or, where its first load was interrupted, from the windows of it that are; otherwise it is
read as if there were no mirror.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import Final

import msgspec

from engine.connector import CHANGES, Mirror, Pace, Read, Request, Window

from ..catalogue import Table
from ..planning.read_options import Kept, Listed, Variant, encode_options, expand_params, options_of
from ..planning.reads import PAGE_SIZE
from ..planning.windows import sendable, window_params
from .covered import Part, covered_part
from .following import follow, needs_events, with_events
from .held import Held, changed, parent_of, partial, table_of
from .sync_rules import OVERLAP, emits_events, reread_seconds

_FEW_OPEN: Final = 20


def refresh_reads(reads: Sequence[Read], mirror: Mirror, pace: Pace) -> tuple[Read, ...]:
    """See `Connector.refresh`. In order of name, the read of events last."""
    held = Held(mirror, pace)
    work = _Refresh(held)
    found = [read for family in _families(reads) for read in work.family(family)]
    if needs_events(held, found):
        found = with_events(held, found)
    return tuple(sorted(found, key=lambda read: (read.table == CHANGES, read.table)))


def _families(reads: Sequence[Read]) -> Iterator[list[Read]]:
    """Each root with the tables below it, parents first."""
    waiting = {read.table: read for read in reads}
    below: dict[str, list[str]] = {}
    for read in reads:
        parent = parent_of(read)
        if parent in waiting:
            below.setdefault(parent, []).append(read.table)
    children = {name for names in below.values() for name in names}
    for read in reads:
        if read.table in children:
            continue
        family = [read.table]
        for name in family:
            family.extend(below.get(name, ()))
        yield [waiting[name] for name in family]


@dataclass(frozen=True, slots=True)
class _Refresh:
    """One account's work."""

    held: Held

    def family(self, family: Sequence[Read]) -> list[Read]:
        """The reads of a family now."""
        whole = [self.held.with_expansions(read) for read in family]
        root, *below = whole
        options = options_of(root)
        if not isinstance(options, Listed) or options.limit is not None:
            return [self._cost_of_whole(read, alone=not below) for read in whole]  # too few rows to continue from
        parts = self._parts(root, options)
        if parts is not None and all(self.held.has_whole(child) for child in below):
            return [self._continued(root, options, parts), *(partial(child) for child in below)]
        return self._first(root, options, below)

    def _first(self, root: Read, options: Listed, below: Sequence[Read]) -> list[Read]:
        """A family that is not there as a whole. Where its first load was interrupted, it continues from the windows
        that were committed with all rows below theirs."""
        if not below:
            return [self._cost_of_whole(root, alone=True)]
        names = tuple(sorted(child.table for child in below))
        if any(parent_of(child) != root.table for child in below) or not emits_events(table_of(root)):
            return [root, *below]
        parts = self._parts(root, options, frozenset(names))
        if parts is not None:
            since = min(part.as_of for part in parts)
            return [
                changed(self._continued(root, options, parts), carries=names),
                *(self.held.gathering(child, since) for child in below),
            ]
        if any(self.held.mirror.rows.get(name) for name in names):
            return [root, *below]  # rows below parents that are gone are found at the end only
        return [changed(root, carries=names), *below]

    def _cost_of_whole(self, read: Read, *, alone: bool) -> Read:
        """A read without a mirror: its cost is known where one of the same rows was made before."""
        rows = self.held.mirror.rows.get(read.table)
        options = options_of(read)
        if not isinstance(options, Listed) or rows is None or not alone:
            return read
        if options.limit is not None:
            rows = min(rows, options.limit)
        return replace(read, cost=len(options.variants) - 1 + max(1, ceil(rows / PAGE_SIZE)))

    def _parts(self, root: Read, options: Listed, carrying: frozenset[str] = frozenset()) -> list[Part] | None:
        """What the mirror has of each variant of a list, with the rows of the tables that are `carrying`; None when it
        must be read whole."""
        table = table_of(root)
        if reread_seconds(table, self.held.pace.reread) == 0 or (emits_events(table) and not self.held.events_usable):
            return None
        live = self.held.live(table, carrying=carrying)
        parts = [covered_part(live, each, options.expanded) for each in options.variants]
        found = [part for part in parts if part is not None]
        return found if len(found) == len(parts) else None

    def _continued(self, root: Read, options: Listed, parts: Sequence[Part]) -> Read:
        """A list that continues from the mirror: what was created since, and rows that are not final."""
        table = table_of(root)
        variants, newer = _missing(options, parts)
        ids: tuple[str, ...] = ()
        if (open_rows := self.held.mirror.open_rows.get(table.name)) is not None and not emits_events(table):
            if open_rows.count <= _FEW_OPEN and table.retrieve is not None:
                ids = open_rows.ids
            else:
                variants = [_reaching_back(each, open_rows.oldest) for each in variants]
        age = min((part.as_of for part in parts), default=None)
        following = follow(self.held, root, newer) if emits_events(table) else None
        kept = Kept(table=options.table, expanded=options.expanded, follow=following, carries=options.carries)
        listed = msgspec.structs.replace(
            options,
            variants=tuple(variants),
            ids=ids,
            retrieve=table.retrieve if ids else None,
            continues=age,
            follow=following,
        )
        return replace(
            root,
            options=encode_options(listed if variants or ids else kept),
            requests=tuple(_requests(listed)),
            why=_why(self._current_as_of(table, age), bool(variants), len(ids)),
            cost=len(variants) + len(ids),
        )

    def _current_as_of(self, table: Table, age: datetime | None) -> datetime | None:
        """As of when the mirror's rows are current."""
        return self.held.mirror.events.until if emits_events(table) and self.held.mirror.events is not None else age


def _missing(options: Listed, parts: Sequence[Part]) -> tuple[list[Variant], list[int]]:
    """The variants of what the mirror lacks, each a little wider, and from when on those are that have no end."""
    variants: list[Variant] = []
    newer: list[int] = []
    for variant, part in zip(options.variants, parts, strict=True):
        for hole in part.holes:
            window = sendable(hole.starting_earlier(OVERLAP).intersect(variant.window))
            variants.append(msgspec.structs.replace(variant, window=window))
            if window.lt is None and window.gte is not None:
                newer.append(window.gte)
    return variants, newer


def _reaching_back(variant: Variant, oldest: int) -> Variant:
    """The variant with all that was created since `oldest`."""
    window = Window(min(variant.window.gte or 0, oldest), variant.window.lt)
    return msgspec.structs.replace(variant, window=window)


def _requests(options: Listed) -> Iterator[Request]:
    """The requests as `plan` shows them."""
    for each in options.variants:
        params = {**each.params, **expand_params(options), **window_params(each.window, "created")}
        yield Request("GET", options.path, {**params, "limit": str(PAGE_SIZE)})
    if options.retrieve is not None:
        yield Request("GET", options.retrieve, {}, "row that is not final")


def _why(age: datetime | None, lists: bool, ids: int) -> str:
    known = f"the mirror has it as of {age:%Y-%m-%d %H:%M} UTC" if age is not None else "the mirror has it"
    more = ["lists what is new"] if lists else []
    more += [f"retrieves {ids} that are not final"] if ids else []
    return "; ".join([known, *more])
