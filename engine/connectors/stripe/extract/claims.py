"""Coverage: what a slice may claim to have read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import assert_never

from engine.connector import EVERYTHING, Coverage, EventClaim, Predicate, Renewed, Window, group_touching

from ..planning.read_options import (
    AccountEvents,
    BelowParents,
    Embedded,
    Kept,
    Listed,
    ListedForParents,
    ListedForValues,
    NoRows,
    ReadOptions,
    Retrieved,
    TableOptions,
    carried_tables,
    follow_of,
    followed_tables,
    source_of,
)
from .changes import ChangeReader
from .cursors import Cursor, State


@dataclass(frozen=True, slots=True)
class _Claim:
    """A window that was read, with its pages and rows."""

    window: Window
    pages: int
    rows: int
    complete: bool = True


@dataclass(slots=True)
class Claims:
    """Collects the windows of each variant that are read to their end. `api_version` is the one that was requested."""

    account: str
    api_version: str
    _claims: dict[tuple[int, int], list[_Claim]] = field(default_factory=dict)

    def add(self, cursor: Cursor, gte: int | None, *, complete: bool = True) -> None:
        """The cursor's window from `gte` on has been read: all of its rows, if `complete`, or as many as wanted."""
        claim = _Claim(Window(gte, cursor.lt), cursor.unclaimed_pages, cursor.unclaimed_rows, complete)
        self._claims.setdefault((cursor.read, cursor.variant), []).append(claim)
        cursor.unclaimed_pages = cursor.unclaimed_rows = 0

    def coverage(self, reads: Sequence[ReadOptions], state: State, *, final: bool) -> Iterator[Coverage]:
        """The slice's claims. Reads that are complete only at the end claim so when it is `final`; before, those that
        can resume after an interruption report how far they are."""
        # A table that the run skips is not among the reads, though its parents were to carry it.
        read_now = {each.table for index, each in enumerate(reads) if index not in state.failed}
        for (read, place), claims in sorted(self._claims.items()):
            options = reads[read]
            if read in state.failed or not isinstance(options, Listed):
                continue
            limit = Window(lt=state.ceiling if options.created else None)
            carried = tuple(name for name in options.carries if name in read_now)
            for claim in _merged(claims, limit):
                found = self._one(options, options.variants[place].where, claim, state)
                yield replace(found, carried=carried, continues=options.continues)
        carried_by_any = carried_tables(reads)
        for index, options in enumerate(reads):
            if index not in state.failed and (final or options.table in carried_by_any):
                yield from self._whole(options, state.totals.get(index, (0, 0)), state, final=final)

    def _whole(self, options: ReadOptions, totals: tuple[int, int], state: State, *, final: bool) -> Iterator[Coverage]:
        """The claims of a read that is complete only at the end. `totals` are the pages and rows so far."""
        match options:
            case Retrieved():
                yield self._one(options, options.where, _Claim(EVERYTHING, *totals, final), state)
            case ListedForValues():
                yield from self._variants(options, totals, state, final=final)
            case ListedForParents() | Embedded() if options.gathering is not None:
                for found in self._variants(options, totals, state, final=final):
                    yield replace(found, as_of=options.gathering.since, gathered=True)
            case ListedForParents() | Embedded():
                if not options.partial:
                    yield from self._variants(options, totals, state, final=final)
            case NoRows() | Kept() | Listed() | AccountEvents():
                return
            case _:
                assert_never(options)

    def _variants(
        self,
        options: ListedForValues | ListedForParents | Embedded,
        totals: tuple[int, int],
        state: State,
        *,
        final: bool,
    ) -> Iterator[Coverage]:
        """A claim for each variant; the first one has the totals."""
        for place, variant in enumerate(options.variants):
            claim = _Claim(variant.window, *((0, 0) if place else totals), final)
            yield self._one(options, variant.where, claim, state)

    def renewed(self, reads: Sequence[ReadOptions], state: State) -> Iterator[Renewed]:
        """The tables of which all rows were read for each parent that was read: rows that did not come are gone."""
        for index, options in enumerate(reads):
            if isinstance(options, BelowParents) and options.partial and index not in state.failed:
                param = options.parent.params[0]
                yield Renewed(self.account, options.table, param.field, options.parent.table, param.column)

    def events(self, reads: Sequence[ReadOptions], state: State, changes: ChangeReader | None) -> Iterator[EventClaim]:
        """Up to when events are applied. Nothing where an earlier slice claimed it, or what they require is not read.

        A table below one that is followed, if it is read whole, claims nothing until that is done: events are consumed,
        and the run may end before. What the windows of its parents carry stays with them.
        """
        options = next((each for each in reads if isinstance(each, AccountEvents)), None)
        if options is None or state.claimed or state.as_of is None or any(each.urgent for each in state.cursors):
            return
        followed, carried = followed_tables(reads), carried_tables(reads)
        missed = [
            each.table
            for index, each in enumerate(reads)
            if each.table in followed
            and (index in state.failed or not (_is_kept_current(each) or each.table in carried))
        ]
        state.claimed = True
        until = datetime.fromtimestamp(state.as_of, UTC)
        yield EventClaim(
            account=self.account,
            until=until,
            since=until if options.since is None else None,
            lost=options.lost,
            applied=tuple(changes.applied) if changes is not None else (),
            forget=tuple(missed),
            looks_back=options.looks_back,
        )

    def _one(self, options: TableOptions, where: tuple[Predicate, ...], claim: _Claim, state: State) -> Coverage:
        assert state.as_of is not None
        return Coverage(
            account=self.account,
            table=options.table,
            window=claim.window,
            where=(where,),
            as_of=datetime.fromtimestamp(state.as_of, UTC),
            strategy=source_of(options),
            api_version=self.api_version,
            pages=claim.pages,
            rows=claim.rows,
            complete=claim.complete,
            expanded=options.expanded,
        )


def _is_kept_current(options: ReadOptions) -> bool:
    """Whether the read updates every row of its table that events changed."""
    return follow_of(options) is not None or (isinstance(options, BelowParents) and options.partial)


def _merged(claims: list[_Claim], limit: Window) -> list[_Claim]:
    """Claims without holes between them merged, cut to the `limit`. Those whose windows are then empty are dropped."""
    found = [
        _Claim(
            whole.intersect(limit),
            sum(each.pages for each in group),
            sum(each.rows for each in group),
            all(each.complete for each in group),
        )
        for whole, group in group_touching(claims, lambda each: each.window)
    ]
    return [each for each in found if not each.window.empty]
