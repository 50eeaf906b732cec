"""One account's mirror, and what of it a run may rely on now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import msgspec

from engine.connector import Coverage, Mirror, Pace, Read

from ..catalogue import Table, load_catalogue
from ..planning.read_options import (
    Gathering,
    Kept,
    NoRows,
    Variant,
    encode_options,
    options_of,
    parent_table,
    variants_of,
)
from ..planning.reads import plan_reads_of
from .covered import covered_part, live_coverage
from .sync_rules import HOUR, RETENTION, emits_events, reread_seconds

_MARGIN: Final = HOUR
"""The last hour of the events' retention is not counted on."""


@dataclass(frozen=True, slots=True)
class Held:
    """A mirror at a point in time."""

    mirror: Mirror
    pace: Pace

    @property
    def events_usable(self) -> bool:
        """Whether the account's events continue from those that were applied."""
        interval = self.mirror.events
        if interval is None or not self.pace.events:
            return False
        return (self.pace.now - interval.read_at).total_seconds() < RETENTION - _MARGIN

    @property
    def current_since(self) -> datetime | None:
        """From when on what was read is kept current by events; None where it is not."""
        return self.mirror.events.since if self.mirror.events is not None and self.events_usable else None

    def with_expansions(self, read: Read) -> Read:
        """Fields that were requested before are requested again: an answer without them would look as if they were
        empty."""
        options = options_of(read)
        before = {name for each in self.mirror.coverage if each.table == read.table for name in each.expanded}
        if before <= set(options.expanded) or isinstance(options, NoRows | Kept):
            return read
        return changed(read, expanded=tuple(sorted({*before, *options.expanded})))

    def has_whole(self, child: Read, *, due: bool = False) -> bool:
        """Whether the mirror has all rows of a table below another one, kept current with it; also what must be read
        again by now, if `due`."""
        options, table = options_of(child), table_of(child)
        if self.current_since is None or not emits_events(load_catalogue().tables[parent_of(child)]):
            return False
        live = live_coverage(self.mirror, table, self.current_since) if due else self.live(table)
        parts = [covered_part(live, each, options.expanded) for each in variants_of(options)]
        return all(part is not None and not part.holes for part in parts)

    def has_carried(self, child: Read) -> bool:
        """Whether the mirror has the rows of a table below a part of its parents, kept current with them."""
        parent = load_catalogue().tables[parent_of(child)]
        return emits_events(parent) and any(child.table in each.carried for each in self.live(parent))

    def gathering(self, child: Read, since: datetime) -> Read:
        """As `partial`, where the parents' windows have carried the table so far: with those of now it is whole."""
        begun = [each for each in self.mirror.coverage if each.table == child.table and not each.complete]
        pages, rows = sum(each.pages for each in begun), sum(each.rows for each in begun)
        return changed(partial(child), gathering=Gathering(since=since, pages=pages, rows=rows))

    def live(self, table: Table, *, carrying: Iterable[str] = ()) -> list[Coverage]:
        """What the mirror has of a table with the rows of the tables below it, kept current, and none of it so old that
        it must be read again."""
        found = live_coverage(self.mirror, table, self.current_since)
        tables = load_catalogue().tables
        for each in (table, *(tables[name] for name in carrying)):
            every = reread_seconds(each, self.pace.reread)
            found = found if every is None else [part for part in found if 0 <= self._age(part) < every]
        return [each for each in found if set(carrying) <= set(each.carried)]

    def _age(self, coverage: Coverage) -> float:
        """How many seconds ago it was read; negative where it is not known, because the clock was set back."""
        return (self.pace.now - coverage.read_at).total_seconds() if coverage.read_at is not None else -1.0


def table_of(read: Read) -> Table:
    """The table that is read."""
    return load_catalogue().tables[read.table]


def parent_of(read: Read) -> str:
    """The table on whose rows a read depends, or an empty text."""
    return parent_table(options_of(read)) or ""


def changed(read: Read, **options: object) -> Read:
    """The read with other values of these options, which its strategy must have."""
    return replace(read, options=encode_options(msgspec.structs.replace(options_of(read), **options)))


def partial(child: Read) -> Read:
    """The read of a table for the parents that come now: of all of their rows, whatever was requested, because the
    mirror may claim to have others, too."""
    why = "read for each parent that is new or has changed"
    return replace(changed(child, partial=True, variants=_whole_variants(child)), cost=0, why=why)


def is_unfiltered(read: Read) -> bool:
    """Whether it returns all rows: its filters, if any, are those that override the provider's defaults."""
    wanted = [each.where for each in variants_of(options_of(read))]
    return all(each.where in wanted for each in _whole_variants(read))


def _whole_variants(read: Read) -> tuple[Variant, ...]:
    """The requests that return all rows."""
    (whole,) = (each for each in plan_reads_of([read.table]) if each.table == read.table)
    return variants_of(options_of(whole))
