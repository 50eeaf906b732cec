"""What must be asked for now: the reads of a plan, less what the mirror already has, and what has changed since.

A family is a list with the tables that are read once for each of its rows. It goes on from the mirror when all of it is
there and kept current; otherwise it is read as if there were no mirror.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import Final, cast

from engine.connector import CHANGES, Coverage, Mirror, Pace, Read, Request

from .catalogue import SyncClass, Table, load_catalogue
from .covered import Part, as_where, covered_part, live_coverage
from .read_options import ChangesOptions, Follow, ReadOptions, Variant
from .reads import PAGE_SIZE, plan_reads_of
from .sync_rules import (
    DAY,
    OF_PARENTS_ONLY,
    ON_A_CLOCK,
    OVERLAP,
    RETENTION,
    emits_events,
    reread_seconds,
)

_MARGIN: Final = DAY / 24
"""The last hour of the events' retention is not counted on."""
_FEW_OPEN: Final = 20


def refresh_reads(reads: Sequence[Read], mirror: Mirror, pace: Pace) -> tuple[Read, ...]:
    """See `Connector.refresh`. In order of name, the read of events last."""
    work = _Refresh(mirror, pace)
    found = [read for family in _families(reads) for read in work.family(family)]
    if work.follows_events(found):
        found = [*found, *work.bystanders({read.table for read in found}), work.changes()]
    return tuple(sorted(found, key=lambda read: (read.table == CHANGES, read.table)))


def _families(reads: Sequence[Read]) -> Iterator[list[Read]]:
    """Each root with what hangs on its rows, parents first."""
    waiting = {read.table: read for read in reads}
    below: dict[str, list[str]] = {}
    for read in reads:
        parent = _parent_of(read)
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


def _options(read: Read) -> ReadOptions:
    return cast("ReadOptions", read.options)


def _parent_of(read: Read) -> str:
    """The table whose rows a read hangs on, or an empty text."""
    parent = _options(read)["parent"]
    return parent["table"] if parent is not None and parent["values"] is None else ""


@dataclass(frozen=True, slots=True)
class _Refresh:
    """One account's work."""

    mirror: Mirror
    pace: Pace

    @property
    def _events_usable(self) -> bool:
        interval = self.mirror.events
        if interval is None or not self.pace.events:
            return False
        return (self.pace.now - interval.read_at).total_seconds() < RETENTION - _MARGIN

    @property
    def _current_since(self) -> datetime | None:
        return self.mirror.events.since if self.mirror.events is not None and self._events_usable else None

    def family(self, family: Sequence[Read]) -> list[Read]:
        """The reads of a family now."""
        whole = [self._with_expansions(read) for read in family]
        root, *below = whole
        if _options(root)["strategy"] != "list" or _options(root)["limit"] is not None:
            return [self._cost_of_whole(read, alone=not below) for read in whole]  # a few rows are seen as they come
        parts = self._parts(root)
        if parts is None or not all(self._has_whole(child) for child in below):
            return [self._cost_of_whole(read, alone=not below) for read in whole]
        return [self._going_on(root, parts), *(_partial(child) for child in below)]

    def _cost_of_whole(self, read: Read, *, alone: bool) -> Read:
        """A read without a mirror: its cost is known where one of the same rows was made before."""
        rows = self.mirror.rows.get(read.table)
        options = _options(read)
        if options["strategy"] != "list" or rows is None or not alone:
            return read
        if options["limit"] is not None:
            rows = min(rows, options["limit"])
        return replace(read, cost=len(options["variants"]) - 1 + max(1, ceil(rows / PAGE_SIZE)))

    def _with_expansions(self, read: Read) -> Read:
        """Fields that were asked for before are asked for again: an answer without them would look as if they were
        empty."""
        options = _options(read)
        before = {name for each in self.mirror.coverage if each.table == read.table for name in each.expanded}
        if before <= set(options["expanded"]) or options["strategy"] in ("none", "kept"):
            return read
        expanded = sorted({*before, *options["expanded"]})
        prefix = "" if options["strategy"] == "retrieve" else "data."
        wanted = {f"expand[{place}]": f"{prefix}{name}" for place, name in enumerate(expanded)}
        variants = [
            cast(
                "Variant",
                {**each, "params": {**{k: v for k, v in each["params"].items() if k[:7] != "expand["}, **wanted}},
            )
            for each in options["variants"]
        ]
        return _changed(read, expanded=expanded, variants=variants)

    def _parts(self, root: Read) -> list[Part] | None:
        """What the mirror has of each variant of a list; None when it must be read whole."""
        table, options = _table(root), _options(root)
        if reread_seconds(table, self.pace.reread) == 0 or (emits_events(table) and not self._events_usable):
            return None
        parts = [covered_part(self._live(table), each, options) for each in options["variants"]]
        found = [part for part in parts if part is not None]
        return found if len(found) == len(parts) else None

    def _has_whole(self, child: Read) -> bool:
        """Whether the mirror has all rows of a table that hangs on another one, kept current with it."""
        options = _options(child)
        if self._current_since is None or not emits_events(load_catalogue().tables[_parent_of(child)]):
            return False
        live = self._live(_table(child))
        parts = [covered_part(live, each, options) for each in options["variants"]]
        return all(part is not None and not part.holes for part in parts)

    def _live(self, table: Table) -> list[Coverage]:
        """What the mirror has of a table, kept current, and not so old that it must be read again."""
        every = reread_seconds(table, self.pace.reread)
        return [
            each
            for each in live_coverage(self.mirror, table, self._current_since)
            if every is None or (each.read_at is not None and (self.pace.now - each.read_at).total_seconds() < every)
        ]

    def _going_on(self, root: Read, parts: Sequence[Part]) -> Read:
        """A list that goes on from the mirror: what was created since, and rows that are not final."""
        table, options = _table(root), _options(root)
        variants, requests, newer = [], [], []
        for variant, part in zip(options["variants"], parts, strict=True):
            for gte, lt in part.holes:
                start = max((gte or 0) - OVERLAP, variant["gte"] or 0) or None
                variants.append(cast("Variant", {**variant, "gte": start, "lt": lt}))
                requests.append(Request("GET", options["path"], _shown(variants[-1])))
                if lt is None and start is not None:
                    newer.append(start)
        ids: list[str] = []
        if (open_rows := self.mirror.open_rows.get(table.name)) is not None and not emits_events(table):
            if open_rows.count <= _FEW_OPEN and table.retrieve is not None:
                ids = list(open_rows.ids)
                requests += [Request("GET", table.retrieve, {}, "row that is not final")]
            elif variants:
                variants = [
                    cast("Variant", {**each, "gte": min(each["gte"] or 0, open_rows.oldest)}) for each in variants
                ]
        age = min((part.as_of for part in parts), default=None)
        return replace(
            _changed(
                root,
                strategy="list" if variants or ids else "kept",
                variants=variants,
                ids=ids,
                continues=age.isoformat() if age is not None else None,
                follow=self._follow(table, options, newer) if emits_events(table) else None,
            ),
            requests=tuple(requests),
            why=_why(self._current_as_of(table, age), bool(variants), len(ids)),
            cost=len(variants) + len(ids),
        )

    def _current_as_of(self, table: Table, age: datetime | None) -> datetime | None:
        """As of when the mirror's rows are current."""
        return self.mirror.events.until if emits_events(table) and self.mirror.events is not None else age

    def _follow(self, table: Table, options: ReadOptions, newer: Sequence[int]) -> Follow:
        """How its changes are followed. What its lists bring from `newer` on is left to them, if they bring all of it:
        a filter could leave out what has changed."""
        expand = {f"expand[{place}]": name for place, name in enumerate(options["expanded"])}
        on_a_clock = table.name in ON_A_CLOCK and not any(
            predicate.column == "test_clock"
            for each in self.mirror.coverage
            if each.table == table.name
            for case in each.where
            for predicate in case
        )
        return {
            "payload": table.sync is SyncClass.EVENTS and not expand,
            "version": load_catalogue().api_version,
            "path": table.retrieve or "",
            "params": expand,
            "newer": min(newer, default=None) if _is_unfiltered(table, options) else None,
            "on_a_clock": on_a_clock,
            "not_with": OF_PARENTS_ONLY.get(table.name),
        }

    def follows_events(self, found: Iterable[Read]) -> bool:
        """Whether one of these reads needs the account's events, now or the next time."""
        if not self.pace.events:
            return False
        tables = load_catalogue().tables
        return any(
            _options(read)["follow"] is not None
            or (
                emits_events(tables[read.table])
                and _options(read)["strategy"] == "list"
                and _options(read)["limit"] is None
            )
            for read in found
        )

    def bystanders(self, present: set[str]) -> Iterator[Read]:
        """Tables that this run does not need and that its events speak of: one cursor keeps all of them current."""
        if not self._events_usable:
            return
        names = {each.table for each in self.mirror.coverage if each.complete} - present
        for family in _families(plan_reads_of(sorted(names & load_catalogue().tables.keys()))):
            root, *below = (self._with_expansions(read) for read in family)
            table = _table(root)
            if not emits_events(table) or _options(root)["strategy"] != "list" or root.table in present:
                continue
            live = live_coverage(self.mirror, table, self._current_since)
            if not live:
                continue
            follow = self._follow(table, _options(root), _end_of(live, _options(root)))
            yield replace(_changed(root, strategy="kept", variants=[], follow=follow), requests=(), cost=0)
            yield from (_partial(child) for child in below if child.table in names and self._has_whole(child))

    def changes(self) -> Read:
        """The read of events: of what happened since they were applied last, or only a note of when they begin."""
        interval = self.mirror.events
        usable = self._events_usable
        lost = self.pace.lost or (interval.until if interval is not None and not usable else None)
        since = int(interval.until.timestamp()) - OVERLAP if interval is not None and usable else None
        changes: ChangesOptions = {
            "since": since,
            "applied": list(self.mirror.applied) if since is not None else [],
            "lost": lost.isoformat() if lost is not None else None,
        }
        options: ReadOptions = {
            "table": CHANGES,
            "path": "/v1/events",
            "page": "cursor",
            "strategy": "changes",
            "variants": [{"params": {}, "gte": since, "lt": None, "where": []}],
            "created": "created",
            "newest_first": True,
            "limit": None,
            "retrieve": None,
            "ids": [],
            "parent": None,
            "expanded": [],
            "continues": None,
            "partial": False,
            "follow": None,
            "changes": changes,
        }
        request = Request("GET", "/v1/events", {"created[gte]": str(since), "limit": str(PAGE_SIZE)})
        return Read(
            table=CHANGES,
            columns=(),
            where=(),
            requests=(request,) if since is not None else (),
            why="what has changed since" if since is not None else "changes are followed from this run on",
            options=cast("Mapping[str, object]", options),
            cost=1 if since is not None else 0,
        )


def _end_of(live: Sequence[Coverage], options: ReadOptions) -> list[int]:
    """From when on a table's own list will bring what is new, when it is needed next; nothing where it may not."""
    wheres = [[list(place) for place in each["where"]] for each in options["variants"]]
    ends = [each.lt for each in live]
    if any(as_where(each) not in wheres for each in live) or None in ends:
        return []
    return [max(end for end in ends if end is not None) - OVERLAP]


def _is_unfiltered(table: Table, options: ReadOptions) -> bool:
    """Whether the list brings all rows: its filters, if any, are those that undo the provider's defaults."""
    (whole,) = (read for read in plan_reads_of([table.name]) if read.table == table.name)
    wanted = [each["where"] for each in options["variants"]]
    return all(each["where"] in wanted for each in _options(whole)["variants"])


def _table(read: Read) -> Table:
    return load_catalogue().tables[read.table]


def _changed(read: Read, **options: object) -> Read:
    return replace(read, options={**_options(read), **options})


def _partial(child: Read) -> Read:
    """A table that is read for those parents that come now."""
    return replace(_changed(child, partial=True), cost=0, why="read for each parent that is new or has changed")


def _shown(variant: Variant) -> dict[str, str]:
    bounds = {"created[gte]": variant["gte"], "created[lt]": variant["lt"]}
    shown = {name: str(bound) for name, bound in bounds.items() if bound is not None}
    return {**variant["params"], **shown, "limit": str(PAGE_SIZE)}


def _why(age: datetime | None, lists: bool, ids: int) -> str:
    known = f"the mirror has it as of {age:%Y-%m-%d %H:%M} UTC" if age is not None else "the mirror has it"
    more = ["lists what is new"] if lists else []
    more += [f"retrieves {ids} that are not final"] if ids else []
    return "; ".join([known, *more])
