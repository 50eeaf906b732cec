"""Coverage: what a slice may claim to have read, as JSON for `engine.run.Coverage`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from engine.connector import Window, group_touching
from engine.run import Json

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

    def as_json(self, reads: list[ReadOptions], state: State, final: bool) -> list[Json]:
        """The slice's claims. Reads that are complete only at the end claim so with `final`; before, those that go on
        after an interruption tell how far they are."""
        found: list[Json] = []
        # What a run goes on without is not among the reads, though its parents were to carry it.
        brought = {each["table"] for index, each in enumerate(reads) if index not in state.failed}
        for (read, variant), claims in sorted(self._claims.items()):
            if read in state.failed:
                continue
            options = reads[read]
            limit = Window(lt=state.ceiling if options["created"] else None)
            carried: list[Json] = [name for name in options["carries"] if name in brought]
            found.extend(
                {**self._one(options, options["variants"][variant], claim, state), "carried": carried}
                for claim in _merged(claims, limit)
            )
        found.extend(self._whole(reads, state, final))
        return found

    def _whole(self, reads: list[ReadOptions], state: State, final: bool) -> Iterator[Json]:
        carried = {name for each in reads for name in each["carries"]}
        for index, options in enumerate(reads):
            if options["strategy"] not in ("retrieve", "parents", "embedded") or index in state.failed:
                continue
            if options["partial"] and options["gathers"] is None:
                continue
            if not final and options["table"] not in carried:
                continue
            pages, rows = state.totals.get(index, (0, 0))
            for place, variant in enumerate(options["variants"]):
                window = Window(variant["gte"], variant["lt"])
                whole = _Claim(window, 0 if place else pages, 0 if place else rows, final)
                claim = self._one(options, variant, whole, state)
                yield claim if options["gathers"] is None else claim | {"as_of": options["gathers"], "gathered": True}

    def renewed(self, reads: list[ReadOptions], state: State) -> list[Json]:
        """The tables of which all rows of the parents came that came: of those, what did not come is gone."""
        found: list[Json] = []
        for index, options in enumerate(reads):
            parent = options["parent"]
            if not options["partial"] or parent is None or index in state.failed:
                continue
            held = parent["params"][0]
            found.append(
                {
                    "account": self.account,
                    "table": options["table"],
                    "field": held["field"],
                    "parent": parent["table"],
                    "column": held["column"],
                }
            )
        return found

    def events(self, reads: list[ReadOptions], state: State, changes: ChangeReader | None) -> list[Json]:
        """Up to when events are applied. Nothing where a slice before told it, or what they ask for was not read.

        What hangs on a table that is followed, and is read whole, claims nothing until that is done: events are passed
        over, and the run may end before. What the windows of its parents carry stays with them.
        """
        options = next((each["changes"] for each in reads if each["changes"] is not None), None)
        if options is None or state.claimed or state.as_of is None or any(each.urgent for each in state.cursors):
            return []
        followed = followed_tables(reads)
        carried = {name for each in reads for name in each["carries"]}
        missed = [
            each
            for index, each in enumerate(reads)
            if each["table"] in followed
            and (
                index in state.failed or not (each["partial"] or each["follow"] is not None or each["table"] in carried)
            )
        ]
        state.claimed = True
        moment = datetime.fromtimestamp(state.as_of, UTC).isoformat()
        return [
            {
                "account": self.account,
                "until": moment,
                "since": moment if options["since"] is None else None,
                "lost": options["lost"],
                "looks_back": options["looks_back"],
                "applied": [list(each) for each in changes.applied] if changes is not None else [],
                "forget": [each["table"] for each in missed],
            }
        ]

    def _one(self, options: ReadOptions, variant: Variant, claim: _Claim, state: State) -> dict[str, Json]:
        assert state.as_of is not None
        return {
            "account": self.account,
            "table": options["table"],
            "window": {"gte": claim.window.gte, "lt": claim.window.lt},
            "where": [
                [{"column": column, "op": op, "values": list(values)} for column, op, values in variant["where"]]
            ],
            "as_of": datetime.fromtimestamp(state.as_of, UTC).isoformat(),
            "strategy": options["strategy"],
            "api_version": self.api_version,
            "pages": claim.pages,
            "rows": claim.rows,
            "complete": claim.complete,
            "expanded": options["expanded"],
            "continues": options["continues"],
        }


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
