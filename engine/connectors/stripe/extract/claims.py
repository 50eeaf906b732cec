"""Coverage: what a slice may claim to have read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from engine.connector import Coverage, EventClaim, Op, Predicate, Renewed, Window, group_touching

from ..planning.read_options import ReadOptions, Variant, followed_tables
from .changes import ChangeReader
from .cursors import Cursor, State


@dataclass(frozen=True, slots=True)
class _Claim:
    """A window that was read, and what came of it."""

    window: Window
    pages: int
    rows: int
    complete: bool = True


@dataclass(slots=True)
class Claims:
    """Collects the windows of each variant that are read to their end. `api_version` is the one that was asked for."""

    account: str
    api_version: str
    _claims: dict[tuple[int, int], list[_Claim]] = field(default_factory=dict)

    def add(self, cursor: Cursor, gte: int | None, *, complete: bool = True) -> None:
        """The cursor's window from `gte` on has been read: all of its rows, if `complete`, or as many as wanted."""
        claim = _Claim(Window(gte, cursor.lt), cursor.unclaimed_pages, cursor.unclaimed_rows, complete)
        self._claims.setdefault((cursor.read, cursor.variant), []).append(claim)
        cursor.unclaimed_pages = cursor.unclaimed_rows = 0

    def coverage(self, reads: list[ReadOptions], state: State, *, final: bool) -> Iterator[Coverage]:
        """The slice's claims. Reads that are complete only at the end claim so when it is `final`; before, those that
        can resume after an interruption report how far they are."""
        # A table that the run skips is not among the reads, though its parents were to carry it.
        brought = {each["table"] for index, each in enumerate(reads) if index not in state.failed}
        for (read, variant), claims in sorted(self._claims.items()):
            if read in state.failed:
                continue
            options = reads[read]
            limit = Window(lt=state.ceiling if options["created"] else None)
            carried = tuple(name for name in options["carries"] if name in brought)
            for claim in _merged(claims, limit):
                found = self._one(options, options["variants"][variant], claim, state)
                yield replace(found, carried=carried)
        yield from self._whole(reads, state, final)

    def _whole(self, reads: list[ReadOptions], state: State, final: bool) -> Iterator[Coverage]:
        carried = {name for each in reads for name in each["carries"]}
        for index, options in enumerate(reads):
            if options["strategy"] not in ("retrieve", "parents", "embedded") or index in state.failed:
                continue
            gathers = options["gathers"]
            if options["partial"] and gathers is None:
                continue
            if not final and options["table"] not in carried:
                continue
            pages, rows = state.totals.get(index, (0, 0))
            for place, variant in enumerate(options["variants"]):
                window = Window(variant["gte"], variant["lt"])
                whole = _Claim(window, 0 if place else pages, 0 if place else rows, final)
                found = self._one(options, variant, whole, state)
                yield found if gathers is None else replace(found, as_of=_timestamp(gathers), gathered=True)

    def renewed(self, reads: list[ReadOptions], state: State) -> Iterator[Renewed]:
        """The tables of which all rows were read for each parent that was read: rows that did not come are gone."""
        for index, options in enumerate(reads):
            parent = options["parent"]
            if not options["partial"] or parent is None or index in state.failed:
                continue
            param = parent["params"][0]
            yield Renewed(self.account, options["table"], param["field"], parent["table"], param["column"])

    def events(self, reads: list[ReadOptions], state: State, changes: ChangeReader | None) -> Iterator[EventClaim]:
        """Up to when events are applied. Nothing where an earlier slice claimed it, or what they require is not read.

        A table below one that is followed, if it is read whole, claims nothing until that is done: events are consumed,
        and the run may end before. What the windows of its parents carry stays with them.
        """
        options = next((each["changes"] for each in reads if each["changes"] is not None), None)
        if options is None or state.claimed or state.as_of is None or any(each.urgent for each in state.cursors):
            return
        followed = followed_tables(reads)
        carried = {name for each in reads for name in each["carries"]}
        missed = [
            each["table"]
            for index, each in enumerate(reads)
            if each["table"] in followed
            and (
                index in state.failed or not (each["partial"] or each["follow"] is not None or each["table"] in carried)
            )
        ]
        state.claimed = True
        until = datetime.fromtimestamp(state.as_of, UTC)
        yield EventClaim(
            account=self.account,
            until=until,
            since=until if options["since"] is None else None,
            lost=_timestamp(options["lost"]) if options["lost"] is not None else None,
            applied=tuple(changes.applied) if changes is not None else (),
            forget=tuple(missed),
            looks_back=options["looks_back"],
        )

    def _one(self, options: ReadOptions, variant: Variant, claim: _Claim, state: State) -> Coverage:
        assert state.as_of is not None
        return Coverage(
            account=self.account,
            table=options["table"],
            window=claim.window,
            where=(tuple(Predicate(column, Op(op), tuple(values)) for column, op, values in variant["where"]),),
            as_of=datetime.fromtimestamp(state.as_of, UTC),
            strategy=options["strategy"],
            api_version=self.api_version,
            pages=claim.pages,
            rows=claim.rows,
            complete=claim.complete,
            expanded=tuple(options["expanded"]),
            continues=_timestamp(options["continues"]) if options["continues"] is not None else None,
        )


def _timestamp(text: str) -> datetime:
    return datetime.fromisoformat(text)


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
