"""One attempt's reading: workers take cursors, fetch a page each, and hand their windows out when others are idle."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Final

from engine.connector import EVENT_GAP, ConnectorError, Failure, FailureKind

from ..client import Answer, Client
from ..planning.read_options import AccountEvents
from ..sync.sync_rules import OVERLAP, RETENTION
from .changes import ChangeReader
from .claims import Claims
from .cursors import Cursor, State
from .pages import Page
from .readers import TableReader
from .rowtypes import PREFIX
from .spools import SpoolSet

_OF_ONE_TABLE: Final = frozenset({FailureKind.PERMISSION, FailureKind.REQUEST, FailureKind.MISSING, FailureKind.ANSWER})
_GONE: Final = frozenset({"resource_missing", "not_found"})
_CANCEL_POLL: Final = 0.2
_ENOUGH_HELD: Final = 4


@dataclass(slots=True)
class Extraction:
    """Reads the cursors of `state` until nothing is left, the slice is full, or `cancelled` returns true.

    Memory contains at most a page for each worker. Rows below parents go before further parents, so that few parents
    wait for theirs; a full slice ends only when all parents in it have theirs. Events go before everything, so that
    rows of lists are never older than those of events. `until` is the time on the client's clock at which the slice
    counts as full. `progress` is called after each page, with whether requests wait to be let out. With
    `tolerant`, a failure of one table ends only that table and is put into `failures`. `gone` are the ids, by table, of
    objects that no longer exist.
    """

    client: Client
    readers: list[TableReader]
    state: State
    spool: SpoolSet
    claims: Claims
    max_bytes: int
    max_requests: int
    until: float
    workers: int
    ceiling_lag: int
    cancelled: Callable[[], bool]
    progress: Callable[[bool], None]
    tolerant: bool = False
    failures: list[Failure] = field(default_factory=list)
    changes: ChangeReader | None = None
    gone: dict[str, list[str]] = field(default_factory=dict)
    _ready: deque[Cursor] = field(default_factory=deque)
    _below: deque[Cursor] = field(default_factory=deque)
    _flying: list[Cursor] = field(default_factory=list)
    _idle: deque[asyncio.Future[None]] = field(default_factory=deque)
    _stopped: bool = False

    async def run(self) -> None:
        """Read. `ConnectorError` for failures to report. Afterwards `state` is what is left."""
        for cursor in self.state.cursors:
            self._queue(cursor)
            if self.changes is not None and self._is_of_events(cursor):
                self.changes.open += 1
        workers = {asyncio.create_task(self._work()) for _ in range(self.workers)}
        left = workers
        try:
            while left and not self._stopped:
                done, left = await asyncio.wait(left, timeout=_CANCEL_POLL, return_when=asyncio.FIRST_EXCEPTION)
                for task in done:
                    task.result()
                self._stopped = self.cancelled()
        finally:
            for task in workers:
                task.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        self._note_time({})
        self.state.cursors = [self._put_aside(cursor) for cursor in (*self._flying, *self._below, *self._ready)]

    def _put_aside(self, cursor: Cursor) -> Cursor:
        """A cursor for the next slice. What it has read of its window is claimed: a crash must not cost it."""
        if cursor.windowed and cursor.last is not None and (cursor.lt is None or cursor.last + 1 < cursor.lt):
            self.claims.add(cursor, cursor.last + 1)
            cursor.lt = cursor.last + 1
        return cursor.short()

    async def _work(self) -> None:
        while True:
            cursor = self._take()
            if cursor is not None:
                self._flying.append(cursor)
                self._wake(1)  # where there was something to take, or to cut, there may be more
                await self._step(cursor)
                self._wake(1 + len(self._below) + len(self._ready))
            elif self._finished():
                self._wake(len(self._idle))
                return
            else:
                waiter = asyncio.get_running_loop().create_future()
                self._idle.append(waiter)
                await waiter

    def _wake(self, count: int) -> None:
        for _ in range(min(count, len(self._idle))):
            waiter = self._idle.popleft()
            if not waiter.done():
                waiter.set_result(None)

    def _finished(self) -> bool:
        return not self._flying and not self._below and (self._full() or not self._ready)

    def _full(self) -> bool:
        spent = self.spool.bytes >= self.max_bytes or self.client.counts.requests >= self.max_requests
        return self._stopped or spent or self.client.timing.now() >= self.until

    def _take(self) -> Cursor | None:
        """The next cursor to read a page of; where none waits, the lower part of the largest window."""
        if self._below:
            return self._below.popleft()
        if self.changes is not None and self.changes.open:
            lower = self._cut_largest()
            self.changes.open += lower is not None
            return lower
        if self._full():
            return None
        return self._ready.popleft() if self._ready else self._cut_largest()

    def _cut_largest(self) -> Cursor | None:
        """A window more, unless some of those that there are wait to be let out: limits are met without it."""
        if self._held() >= _ENOUGH_HELD:
            return None
        largest = max(self._flying, key=Cursor.pages_left, default=None)
        return largest.cut() if largest is not None else None

    def _held(self) -> int:
        """How many requests wait to be let out."""
        return len(self._flying) - self.client.counts.open

    def _is_of_events(self, cursor: Cursor) -> bool:
        return isinstance(self.readers[cursor.read].options, AccountEvents)

    def _queue(self, cursor: Cursor) -> None:
        if cursor.read not in self.state.failed:
            (self._below if cursor.parent or cursor.urgent else self._ready).append(cursor)

    async def _step(self, cursor: Cursor) -> None:
        """Read one page of a cursor and continue from there. During the request it stays in `_flying`."""
        reader = self.readers[cursor.read]
        try:
            page = await self._fetch(reader, cursor)
            self._flying.remove(cursor)
            if cursor.read not in self.state.failed:
                self._accept(reader, cursor, page)
        except ConnectorError as error:
            if cursor in self._flying:
                self._flying.remove(cursor)
            self._recover(reader, cursor, error.failure)
        self.progress(self._held() >= _ENOUGH_HELD // 2)

    async def _fetch(self, reader: TableReader, cursor: Cursor) -> Page:
        def read(answer: Answer) -> Page:
            self._note_time(answer.headers)
            if cursor.kind == "object":
                return reader.pages.read_object(answer.body)
            if cursor.parent:
                return reader.pages.read_below(cursor.parent, answer.body)
            return reader.pages.read(answer.body)

        self.spool.requests_by_table[reader.table] += 1
        params = {**reader.params(cursor), **cursor.params, **cursor.place}
        return await self.client.get(cursor.path, params, read)

    def _note_time(self, headers: Mapping[str, str]) -> None:
        """The first answer's date is the timestamp as of which this partition is read."""
        if self.state.as_of is not None:
            return
        try:
            as_of = int(parsedate_to_datetime(headers["date"]).timestamp())
        except (KeyError, ValueError):
            as_of = int(time.time())
        self.state.as_of = as_of
        self.state.ceiling = as_of - self.ceiling_lag

    def _accept(self, reader: TableReader, cursor: Cursor, page: Page) -> None:
        cursor.advance(page.column("id"), page.column(reader.created) if cursor.windowed else [])
        own = self._own_rows(reader, cursor, page)
        if self.changes is not None and self._is_of_events(cursor):
            self._take_events(self.changes, reader, cursor, own, len(page.rows))
            return
        if cursor.kind == "object" and not page.rows:
            self.gone.setdefault(reader.table, []).append(cursor.id)
        self._store(reader, own, "retrieve" if cursor.kind == "object" else reader.source)
        cursor.unclaimed_pages += 1
        cursor.unclaimed_rows += len(own.rows)
        if cursor.has_next(page.envelope, len(page.rows)):
            self._queue(cursor)
        elif reader.source == "list" and cursor.kind != "object":
            self.claims.add(cursor, cursor.gte, complete=cursor.limit is None or not page.envelope.has_more)

    def _take_events(self, changes: ChangeReader, reader: TableReader, cursor: Cursor, page: Page, rows: int) -> None:
        """Store the rows that events carry, and queue the objects to retrieve when the last of them is read."""
        settled = reader.options.settled if isinstance(reader.options, AccountEvents) else None
        if settled is not None and self.state.as_of is not None and self.state.as_of - settled > RETENTION - OVERLAP:
            raise ConnectorError(_too_old(reader))
        for follower, carried in changes.take(page):
            self._store(follower, carried, "event")
        if cursor.has_next(page.envelope, rows):
            self._queue(cursor)
            return
        changes.open -= 1
        if not changes.open:
            for follower, carried in changes.held():
                self._store(follower, carried, "event")
            for each in changes.rest():
                self._queue(each)

    @staticmethod
    def _own_rows(reader: TableReader, cursor: Cursor, page: Page) -> Page:
        """The page without rows that belong to a window cut off meanwhile, and without those that came already."""
        if cursor.windowed and cursor.gte is not None and cursor.last is not None and cursor.last < cursor.gte:
            gte, created = cursor.gte, f"{PREFIX}{reader.created}"
            page = reader.pages.without(page, lambda row: getattr(row, created) < gte)
        if cursor.seen:
            seen = frozenset(cursor.seen)
            before = len(page.rows)
            page = reader.pages.without(page, lambda row: row.f_id in seen)
            cursor.seen = cursor.seen if len(page.rows) < before else []
        return page

    def _store(self, reader: TableReader, page: Page, source: str) -> None:
        """Spool a page, and queue what is below its rows."""
        self.spool.add(reader.table, source, page)
        pages, rows = self.state.totals.get(reader.index, (0, 0))
        self.state.totals[reader.index] = (pages + 1, rows + len(page.rows))
        if not page.rows:
            return
        for index in reader.children:
            if index in self.state.failed:
                continue
            below, cursors = self.readers[index].below(page)
            if below is not None:
                self._store(self.readers[index], below, self.readers[index].source)
            for cursor in cursors:
                self._queue(cursor)

    def _recover(self, reader: TableReader, cursor: Cursor, failure: Failure) -> None:
        """Continue after a failure where Stripe reports that an object is gone; otherwise fail.

        A 404 that does not (a path that this account may not use, a proxy) must not look as if rows were gone.
        """
        missing = failure.kind is FailureKind.MISSING and failure.code in _GONE
        if missing and failure.param == "starting_after" and cursor.trail:
            cursor.step_back()
            self._queue(cursor)
        elif missing and cursor.kind == "object":
            self.gone.setdefault(reader.table, []).append(cursor.id)
        elif missing and cursor.parent:
            return
        elif missing and failure.param in reader.params(cursor):
            self.claims.add(cursor, cursor.gte)
        else:
            self._fail(reader, replace(failure, table=failure.table or reader.table))

    def _fail(self, reader: TableReader, failure: Failure) -> None:
        """End the table and those below it, or everything."""
        if not self.tolerant or failure.kind not in _OF_ONE_TABLE or isinstance(reader.options, AccountEvents):
            raise ConnectorError(failure)
        if reader.index in self.state.failed:
            return
        self.failures.append(failure)
        gone = [reader.index]
        for index in gone:
            gone.extend(self.readers[index].children)
        self.state.failed.extend(index for index in gone if index not in self.state.failed)
        self._ready = deque(each for each in self._ready if each.read not in gone)
        self._below = deque(each for each in self._below if each.read not in gone)


def _too_old(reader: TableReader) -> Failure:
    return Failure(
        FailureKind.ANSWER,
        "the latest applied events are older than those that are still listed",
        code=EVENT_GAP,
        table=reader.table,
    )
