"""The stage: one slice of the reads, in a worker. Changes first, then the windows that the mirror lacks."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, cast

from engine.connector import (
    ACCOUNT,
    CHANGES,
    Changes,
    ConnectorError,
    Coverage,
    EventClaim,
    Failure,
    FailureKind,
    Gone,
    Identity,
    SliceReport,
    SliceTotals,
    Window,
    encode_slice,
    encode_totals,
)
from engine.run import Json, Output, OutputFile, TaskContext

from .catalogue import API_VERSION, CATALOGUE
from .client import Client
from .planning import PAGE_ROWS
from .rows import Spool

_OF_ONE_TABLE: Final = (FailureKind.PERMISSION, FailureKind.MISSING, FailureKind.REQUEST, FailureKind.ANSWER)
_SLICE_BYTES: Final = 64 << 20


@dataclass(slots=True)
class _State:
    """What the next slice has to know: the provider's time at the beginning, whether changes are done, and which window
    is read (`read`, `hole`) and how far (`low`: its bound, `after`: the last id)."""

    now: int | None = None
    followed: bool = False
    read: int = 0
    hole: int = 0
    low: int | None = None
    after: str | None = None
    failed: list[str] = field(default_factory=list)


def extract(config: Mapping[str, Json], payload: Json, context: TaskContext) -> Output:
    """Read one slice of the payload's reads. Raises `ConnectorError`."""
    given = cast("Mapping[str, Any]", payload)
    slice_ = _Slice(config, given["reads"], _State(**(given.get("state") or {})), context)
    slice_.run(asks=bool(config.get("identify")) and given.get("state") is None)
    return slice_.output()


class _Slice:
    def __init__(
        self, config: Mapping[str, Json], reads: list[Mapping[str, Any]], state: _State, context: TaskContext
    ) -> None:
        self.changes = next((dict(each["options"]) for each in reads if each["table"] == CHANGES), None)
        self.reads = [each for each in reads if each["table"] != CHANGES]
        self.state = state
        self.context = context
        self.client = Client.of(config)
        self.spool = Spool(context.directory, self.client.livemode)
        self.tolerant = config.get("table_failures") == "report"
        self.max_bytes = int(cast("int", config.get("max_slice_bytes") or _SLICE_BYTES))
        self.max_requests = int(cast("int", config.get("max_slice_requests") or sys.maxsize))
        self.coverage: list[Coverage] = []
        self.gone: list[Gone] = []
        self.events: tuple[EventClaim, ...] = ()
        self.identity: Identity | None = None
        self.failures: list[Failure] = []

    def run(self, *, asks: bool) -> None:
        """Read until the slice is full or everything is read."""
        if asks:
            book = self.client.get("/v1/book", ACCOUNT).body
            self.identity = Identity(book["id"], self.client.livemode)
        if not self.state.followed and self.changes is not None:
            self._follow(self.changes)
        self.state.followed = True
        while self.state.read < len(self.reads) and not self._is_full():
            self._step()

    def output(self) -> Output:
        """What the slice brings."""
        files = tuple(OutputFile(str(path), rows, table, meta) for table, path, rows, meta in self.spool.close())
        done = self.state.read >= len(self.reads)
        report = SliceReport(
            remaining=None if done else asdict(self.state),
            coverage=tuple(self.coverage),
            changes=Changes(tuple(self.gone), events=self.events, identity=self.identity),
            failures=tuple(self.failures),
            totals=self._totals(),
        )
        return Output(files, encode_slice(report))

    def _totals(self) -> SliceTotals:
        client, spool = self.client, self.spool
        counts = {"sent": client.sent, "retries": client.retries, "limited": client.limited}
        counts |= {"pages": spool.pages, "rows": sum(spool.rows.values()), "bytes": spool.bytes}
        return SliceTotals(counts, dict(spool.rows), dict(client.by_table))

    def _is_full(self) -> bool:
        full = self.spool.bytes >= self.max_bytes or self.client.sent >= self.max_requests
        return (full and self.spool.pages > 0) or self.context.cancelled()

    def _note_time(self, body: Mapping[str, Any]) -> int:
        """The provider's time of the first answer: all that this run reads is at least as recent."""
        if self.state.now is None:
            self.state.now = int(body["now"])
        return self.state.now

    def _follow(self, options: Mapping[str, Any]) -> None:
        """Apply the changes since the last run, and claim that they are applied."""
        since, after = options["since"], None
        if since is None:
            body = self.client.get("/v1/changes", CHANGES, limit=1).body
            now = self._note_time(body)
            lost = datetime.fromisoformat(options["lost"]) if options["lost"] else None
            self.events = (EventClaim("", _utc(now), since=_utc(now), lost=lost),)
            return
        latest: dict[tuple[str, str], Mapping[str, Any]] = {}
        visible: set[str] = set(CATALOGUE.tables)
        while True:
            body = self.client.get("/v1/changes", CHANGES, since=since, after=after, limit=PAGE_ROWS).body
            now = self._note_time(body)
            visible &= set(body["tables"])
            for each in body["data"]:
                if each["table"] in CATALOGUE.tables:
                    latest[each["table"], each["id"]] = each
                after = each["sequence"]
            if not body["has_more"]:
                break
        for table in sorted({table for table, _ in latest}):
            own = [each for (name, _), each in latest.items() if name == table]
            self.spool.add(table, "event", [each["object"] for each in own if each["object"] is not None])
            gone = [each["id"] for each in own if each["object"] is None]
            if gone:
                self.gone.append(Gone("", table, tuple(gone)))
        hidden = sorted(set(options["tables"]) - visible)
        self.events = (EventClaim("", _utc(now), forget=tuple(hidden)),)
        for read in self.reads:
            if read["table"] in hidden and not read["options"]["holes"]:
                self._probe(read["table"])

    def _probe(self, table: str) -> None:
        """Find out why changes of a table are hidden, where nothing else would ask for it."""
        try:
            self.client.get(f"/v1/{table}", table, limit=1)
        except ConnectorError as error:
            self._fail(table, error.failure)

    def _step(self) -> None:
        """Read a page of the window at hand, or go to the next one."""
        read = self.reads[self.state.read]
        holes = read["options"]["holes"]
        if read["table"] in self.state.failed or self.state.hole >= len(holes):
            self._next_read()
            return
        try:
            self._page(read["table"], *holes[self.state.hole])
        except ConnectorError as error:
            self._fail(read["table"], error.failure)
            self._next_read()

    def _next_read(self) -> None:
        self.state.read, self.state.hole, self.state.low, self.state.after = self.state.read + 1, 0, None, None

    def _page(self, table: str, gte: int | None, lt: int | None) -> None:
        state = self.state
        params = {"created_gte": gte, "created_lt": lt, "after": state.after, "limit": PAGE_ROWS}
        body = self.client.get(f"/v1/{table}", table, **params).body
        now = self._note_time(body)
        data = body["data"]
        self.spool.add(table, "list", data)
        low = state.low if state.after is not None else gte
        last = int(datetime.fromisoformat(data[-1]["created"]).timestamp()) if data else None
        # Of the last second, some rows may be on the next page.
        upper = last if body["has_more"] else lt
        if not body["has_more"] or (upper is not None and (low is None or upper > low)):
            self._claim(table, Window(low, upper), len(data), now)
            low = upper
        state.low, state.after = low, data[-1]["id"] if data else None
        if not body["has_more"]:
            state.hole, state.low, state.after = state.hole + 1, None, None
        self.context.report(encode_totals(self._totals()))

    def _claim(self, table: str, window: Window, rows: int, now: int) -> None:
        self.coverage.append(
            Coverage("", table, window, ((),), _utc(now), "list", API_VERSION, pages=1, rows=rows, complete=True)
        )

    def _fail(self, table: str, failure: Failure) -> None:
        """End one table, where the failure says nothing about others."""
        if not self.tolerant or failure.kind not in _OF_ONE_TABLE:
            raise ConnectorError(failure)
        self.state.failed.append(table)
        self.failures.append(failure)
        self.coverage = [each for each in self.coverage if each.table != table]


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
