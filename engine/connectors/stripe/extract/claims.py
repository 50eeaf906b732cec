"""Coverage: what a slice may claim to have read, as JSON for `engine.run.Coverage`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from engine.run import Json

from ..planning.read_options import ReadOptions, Variant, followed_tables
from .changes import ChangeReader
from .cursors import Cursor, State


@dataclass(slots=True)
class _Window:
    gte: int | None
    lt: int | None
    pages: int
    rows: int
    complete: bool = True


@dataclass(slots=True)
class Claims:
    """Collects the windows of each variant that are read to their end. `api_version` is the one that was asked for."""

    account: str
    api_version: str
    _windows: dict[tuple[int, int], list[_Window]] = field(default_factory=dict)

    def add(self, cursor: Cursor, gte: int | None, *, complete: bool = True) -> None:
        """The cursor's window from `gte` on has been read: all of its rows, if `complete`, or as many as wanted."""
        window = _Window(gte, cursor.lt, cursor.unclaimed_pages, cursor.unclaimed_rows, complete)
        self._windows.setdefault((cursor.read, cursor.variant), []).append(window)
        cursor.unclaimed_pages = cursor.unclaimed_rows = 0

    def as_json(self, reads: list[ReadOptions], state: State, final: bool) -> list[Json]:
        """The slice's claims. Reads that are complete only at the end claim so with `final`; before, those that go on
        after an interruption tell how far they are."""
        found: list[Json] = []
        # What a run goes on without is not among the reads, though its parents were to carry it.
        brought = {each["table"] for index, each in enumerate(reads) if index not in state.failed}
        for (read, variant), windows in sorted(self._windows.items()):
            if read in state.failed:
                continue
            options = reads[read]
            ceiling = state.ceiling if options["created"] else None
            carried: list[Json] = [name for name in options["carries"] if name in brought]
            found.extend(
                {**self._one(options, options["variants"][variant], window, state), "carried": carried}
                for window in _merged(windows, ceiling)
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
                window = _Window(variant["gte"], variant["lt"], 0 if place else pages, 0 if place else rows)
                claim = self._one(options, variant, window, state) | {"complete": final}
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

    def _one(self, options: ReadOptions, variant: Variant, window: _Window, state: State) -> dict[str, Json]:
        assert state.as_of is not None
        return {
            "account": self.account,
            "table": options["table"],
            "gte": window.gte,
            "lt": window.lt,
            "where": [
                [{"column": column, "op": op, "values": list(values)} for column, op, values in variant["where"]]
            ],
            "as_of": datetime.fromtimestamp(state.as_of, UTC).isoformat(),
            "strategy": options["strategy"],
            "api_version": self.api_version,
            "pages": window.pages,
            "rows": window.rows,
            "complete": window.complete,
            "expanded": options["expanded"],
            "continues": options["continues"],
        }


def _merged(windows: list[_Window], ceiling: int | None) -> list[_Window]:
    """Windows without holes between them united, and none reaching above the ceiling. Those left empty are dropped."""
    low = float("-inf")
    found: list[_Window] = []
    for window in sorted(windows, key=lambda each: low if each.gte is None else each.gte):
        before = found[-1] if found else None
        if before is not None and (before.lt is None or window.gte is None or window.gte <= before.lt):
            before.lt = None if None in (before.lt, window.lt) else max(before.lt or 0, window.lt or 0)
            before.pages += window.pages
            before.rows += window.rows
            before.complete = before.complete and window.complete
        else:
            found.append(replace(window))
    for window in found:
        if ceiling is not None and (window.lt is None or window.lt > ceiling):
            window.lt = ceiling
    return [each for each in found if each.gte is None or each.lt is None or each.gte < each.lt]
