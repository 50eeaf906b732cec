"""What must be asked for now: the reads of a plan, less what the mirror already has, and what has changed since.

A family is a list with the tables that are read once for each of its rows. It goes on from the mirror when all of it is
there and kept current, or, where its first load was interrupted, from the windows of it that are; otherwise it is read
as if there were no mirror.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import Final, cast

from engine.connector import CHANGES, Mirror, Pace, Read, Request, Window

from ..catalogue import Table
from ..planning.read_options import Variant
from ..planning.reads import PAGE_SIZE
from ..planning.windows import sendable
from .covered import Part, covered_part
from .following import follow, needs_events, with_events
from .held import Held, changed, options_of, parent_of, partial, table_of
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
    """Each root with what hangs on its rows, parents first."""
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
        if options_of(root)["strategy"] != "list" or options_of(root)["limit"] is not None:
            return [self._cost_of_whole(read, alone=not below) for read in whole]  # a few rows are seen as they come
        parts = self._parts(root)
        if parts is not None and all(self.held.has_whole(child) for child in below):
            return [self._going_on(root, parts), *(partial(child) for child in below)]
        return self._first(root, below)

    def _first(self, root: Read, below: Sequence[Read]) -> list[Read]:
        """A family that is not there as a whole. Where its first load was interrupted, it goes on from the windows that
        were committed with all that hangs on their rows."""
        if not below:
            return [self._cost_of_whole(root, alone=True)]
        names = sorted(child.table for child in below)
        if any(parent_of(child) != root.table for child in below) or not emits_events(table_of(root)):
            return [root, *below]
        parts = self._parts(root, frozenset(names))
        if parts is not None:
            since = min(part.as_of for part in parts)
            return [
                changed(self._going_on(root, parts), carries=names),
                *(self.held.gathering(child, since) for child in below),
            ]
        if any(self.held.mirror.rows.get(name) for name in names):
            return [root, *below]  # what hangs on parents that are gone is found out at the end only
        return [changed(root, carries=names), *below]

    def _cost_of_whole(self, read: Read, *, alone: bool) -> Read:
        """A read without a mirror: its cost is known where one of the same rows was made before."""
        rows = self.held.mirror.rows.get(read.table)
        options = options_of(read)
        if options["strategy"] != "list" or rows is None or not alone:
            return read
        if options["limit"] is not None:
            rows = min(rows, options["limit"])
        return replace(read, cost=len(options["variants"]) - 1 + max(1, ceil(rows / PAGE_SIZE)))

    def _parts(self, root: Read, carrying: frozenset[str] = frozenset()) -> list[Part] | None:
        """What the mirror has of each variant of a list, with the rows of the tables that are `carrying`; None when it
        must be read whole."""
        table, options = table_of(root), options_of(root)
        if reread_seconds(table, self.held.pace.reread) == 0 or (emits_events(table) and not self.held.events_usable):
            return None
        live = self.held.live(table, carrying=carrying)
        parts = [covered_part(live, each, options) for each in options["variants"]]
        found = [part for part in parts if part is not None]
        return found if len(found) == len(parts) else None

    def _going_on(self, root: Read, parts: Sequence[Part]) -> Read:
        """A list that goes on from the mirror: what was created since, and rows that are not final."""
        table, options = table_of(root), options_of(root)
        variants, newer = [], []
        for variant, part in zip(options["variants"], parts, strict=True):
            whole = Window(variant["gte"], variant["lt"])
            for hole in part.holes:
                window = sendable(hole.starting_earlier(OVERLAP).intersect(whole))
                variants.append(cast("Variant", {**variant, "gte": window.gte, "lt": window.lt}))
                if window.lt is None and window.gte is not None:
                    newer.append(window.gte)
        ids: list[str] = []
        if (open_rows := self.held.mirror.open_rows.get(table.name)) is not None and not emits_events(table):
            if open_rows.count <= _FEW_OPEN and table.retrieve is not None:
                ids = list(open_rows.ids)
            elif variants:
                variants = [
                    cast("Variant", {**each, "gte": min(each["gte"] or 0, open_rows.oldest)}) for each in variants
                ]
        requests = [Request("GET", options["path"], _shown(each)) for each in variants]
        if ids and table.retrieve is not None:
            requests.append(Request("GET", table.retrieve, {}, "row that is not final"))
        age = min((part.as_of for part in parts), default=None)
        return replace(
            changed(
                root,
                strategy="list" if variants or ids else "kept",
                variants=variants,
                ids=ids,
                continues=age.isoformat() if age is not None else None,
                follow=follow(self.held, root, newer) if emits_events(table) else None,
            ),
            requests=tuple(requests),
            why=_why(self._current_as_of(table, age), bool(variants), len(ids)),
            cost=len(variants) + len(ids),
        )

    def _current_as_of(self, table: Table, age: datetime | None) -> datetime | None:
        """As of when the mirror's rows are current."""
        return self.held.mirror.events.until if emits_events(table) and self.held.mirror.events is not None else age


def _shown(variant: Variant) -> dict[str, str]:
    bounds = {"created[gte]": variant["gte"], "created[lt]": variant["lt"]}
    shown = {name: str(bound) for name, bound in bounds.items() if bound is not None}
    return {**variant["params"], **shown, "limit": str(PAGE_SIZE)}


def _why(age: datetime | None, lists: bool, ids: int) -> str:
    known = f"the mirror has it as of {age:%Y-%m-%d %H:%M} UTC" if age is not None else "the mirror has it"
    more = ["lists what is new"] if lists else []
    more += [f"retrieves {ids} that are not final"] if ids else []
    return "; ".join([known, *more])
