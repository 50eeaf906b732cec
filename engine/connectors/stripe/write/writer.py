"""Sends writes to Stripe: within its limits, each under its own idempotency key, recorded before and after."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from engine.connector import (
    ConnectorError,
    Failure,
    FailureKind,
    SpooledAnswers,
    WriteCounts,
    WriteHooks,
    WriteRequest,
    WriteResult,
    WriteState,
)

from ..catalogue import load_catalogue
from ..client import Answer, Client, RetryPolicy, Settings, WriteFailedError, open_key, shared_buckets
from .answers import gone_answer, spool_answers, subject_of
from .order import Order
from .requests import http_write

_REPORT_EVERY: Final = 0.2
_WORKERS: Final = 32


class _Object(msgspec.Struct):
    id: str | None = None
    deleted: bool = False


_OBJECT: Final = msgspec.json.Decoder(_Object)


class StripeWriter:
    """Implements `engine.connector.Writer`. `config` is that of the extraction, with `writes_live`: whether the
    connection may write in live mode."""

    def __init__(self, config: Mapping[str, object]) -> None:
        self._config = config
        self._settings = Settings.of(config, load_catalogue().api_version)

    def write(self, requests: Sequence[WriteRequest], hooks: WriteHooks) -> WriteCounts:
        """See `Writer.write`."""
        return asyncio.run(self._write(requests, hooks))

    def read(self, table: str, ids: Sequence[str]) -> Sequence[WriteResult]:
        """See `Writer.read`."""
        return asyncio.run(self._read(table, ids))

    def renew(self, answers: Sequence[tuple[str, bytes]]) -> Sequence[tuple[str, bytes]]:
        """See `Writer.renew`."""
        return asyncio.run(self._renew(answers))

    def spool(self, answers: Sequence[tuple[str, bytes]], folder: Path) -> SpooledAnswers:
        """See `Writer.spool`."""
        return spool_answers(answers, folder, self._settings.api_version)

    async def _write(self, requests: Sequence[WriteRequest], hooks: WriteHooks) -> WriteCounts:
        async with self._client(writes=True) as client:
            sending = _Sending(client, Order(requests), hooks, asyncio.get_running_loop())
            await sending.run(min(_WORKERS, len(requests)))
            counts = client.counts
            return WriteCounts(counts.requests, counts.retries, counts.limited)

    async def _read(self, table: str, ids: Sequence[str]) -> Sequence[WriteResult]:
        path = load_catalogue().tables[table].retrieve
        if path is None:
            raise ConnectorError(Failure(FailureKind.REQUEST, f"`{table}` cannot be read one by one"))
        async with self._client(writes=False) as client:
            return await asyncio.gather(*(_read_one(client, path, each) for each in ids))

    async def _renew(self, answers: Sequence[tuple[str, bytes]]) -> Sequence[tuple[str, bytes]]:
        async with self._client(writes=False) as client:
            bodies = await asyncio.gather(*(_renewed(client, target, body) for target, body in answers))
        return [(target, body) for (target, _), body in zip(answers, bodies, strict=True)]

    @asynccontextmanager
    async def _client(self, *, writes: bool) -> AsyncIterator[Client]:
        key = open_key(self._settings, os.environ)
        if isinstance(key, Failure):
            raise ConnectorError(key)
        if writes and key.mode == "live" and not self._config.get("writes_live"):
            raise ConnectorError(
                Failure(
                    FailureKind.GRANT,
                    "the key is a live mode key, and the connection may not write in live mode",
                    "to allow it, set `grants: {live: true}` in the connection",
                )
            )
        buckets = shared_buckets(self._settings, key, os.environ)
        retry: Any = self._config.get("retry") or {}
        async with Client(self._settings, key, policy=RetryPolicy(**retry), buckets=buckets) as client:
            yield client


async def _read_one(client: Client, path: str, identifier: str) -> WriteResult:
    start, _, rest = path.partition("{")
    address = f"{start}{quote(identifier, safe='')}{rest.partition('}')[2]}"
    try:
        answer = await client.get(address, {}, lambda found: found)
    except ConnectorError as error:
        if error.failure.kind is not FailureKind.MISSING:
            raise
        return WriteResult(identifier, WriteState.FAILED, failure=error.failure)
    return WriteResult(
        identifier,
        WriteState.DONE,
        identifier,
        body=answer.body,
        request=answer.request_id,
        answered=_date(answer),
    )


async def _renewed(client: Client, target: str, body: bytes) -> bytes:
    found = subject_of(target, body)
    if found is None:
        return body
    table, identifier = found
    if table.retrieve is None or table.retrieve.count("{") != 1:  # a path with more than the id in it
        return body
    now = await _read_one(client, table.retrieve, identifier)
    return now.body if now.body is not None else gone_answer(body)


@dataclass(slots=True)
class _Noted:
    """An item to record, and the future that resolves when it is recorded."""

    item: Any
    done: asyncio.Future[None]


class _Notes:
    """Calls a hook in a thread with all items that arrived during its previous call: one commit for many items."""

    def __init__(self, hook: Callable[[list[Any]], None], pool: ThreadPoolExecutor) -> None:
        self._hook = hook
        self._pool = pool
        self._waiting: list[_Noted] = []
        self._running = False

    async def note(self, item: Any) -> None:
        """Return when the item is recorded. An error of the hook is raised here, for all items of the batch."""
        loop = asyncio.get_running_loop()
        noted = _Noted(item, loop.create_future())
        self._waiting.append(noted)
        if not self._running:
            self._running = True
            loop.create_task(self._work()).add_done_callback(lambda task: task.exception())
        await noted.done

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                error: BaseException | None = None
                try:
                    await loop.run_in_executor(self._pool, self._hook, [each.item for each in batch])
                except Exception as found:  # noqa: BLE001 - raised to whoever waits for the items
                    error = found
                for each in batch:
                    if each.done.done():
                        continue
                    if error is None:
                        each.done.set_result(None)
                    else:
                        each.done.set_exception(error)
        finally:
            self._running = False


class _Sending:
    """One call of `write` in progress."""

    def __init__(self, client: Client, order: Order, hooks: WriteHooks, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._order = order
        self._hooks = hooks
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._sending = _Notes(hooks.sending, self._pool)
        self._ended = _Notes(hooks.ended, self._pool)
        self._wake = asyncio.Event()
        self._reported: str | None = None
        self._loop = loop

    async def run(self, workers: int) -> None:
        """Send everything, unless the run is stopped."""
        tasks = [self._loop.create_task(self._work()) for _ in range(max(1, workers))]
        reporter = self._loop.create_task(self._report())
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in (*tasks, reporter):
                task.cancel()
            await asyncio.gather(*tasks, reporter, return_exceptions=True)
            self._pool.shutdown(wait=True)

    async def _work(self) -> None:
        while True:
            if self._hooks.stopping():
                for each in self._order.take_rest():
                    await self._ended.note(WriteResult(each.id, WriteState.UNSENT))
            request = self._order.take()
            if request is None:
                if self._order.is_over:
                    break
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._send(request)
        self._wake.set()

    async def _send(self, request: WriteRequest) -> None:
        await self._sending.note(request.id)
        result = await self._result(request)
        await self._ended.note(result)
        for each in self._order.end(request, done=result.state is WriteState.DONE):
            failure = Failure(FailureKind.REQUEST, "the write that it requires was not done")
            await self._ended.note(WriteResult(each.id, WriteState.UNSENT, failure=failure))
        self._wake.set()

    async def _result(self, request: WriteRequest) -> WriteResult:
        """The result of the request. A DELETE has no stored answer: missing after a lost answer means it was done."""
        try:
            made = http_write(request)
            answer = await self._client.write(made.method, made.path, dict(made.params), request.id)
        except WriteFailedError as error:
            if made.method == "delete" and error.doubted and error.failure.kind is FailureKind.MISSING:
                return WriteResult(request.id, WriteState.DONE, request.object, request=error.failure.request_id)
            state = WriteState.UNKNOWN if error.unknown else WriteState.FAILED
            return WriteResult(request.id, state, failure=error.failure, request=error.failure.request_id)
        except ConnectorError as error:
            return WriteResult(request.id, WriteState.FAILED, failure=error.failure)
        return _done(request, answer)

    async def _report(self) -> None:
        while True:
            waiting = self._client.counts.waiting
            if waiting != self._reported:
                self._reported = waiting
                self._hooks.waiting(waiting)
            await asyncio.sleep(_REPORT_EVERY)


def _done(request: WriteRequest, answer: Answer) -> WriteResult:
    """The result of a successful answer. One that is not an object leaves the outcome unknown."""
    result = WriteResult(
        request.id,
        WriteState.DONE,
        body=answer.body,
        request=answer.request_id,
        replayed=answer.headers.get("idempotent-replayed") == "true",
        answered=_date(answer),
    )
    try:
        found = _OBJECT.decode(answer.body)
    except msgspec.DecodeError:
        failure = Failure(FailureKind.ANSWER, "the answer is not an object", request_id=answer.request_id)
        return replace(result, state=WriteState.UNKNOWN, failure=failure, body=None)
    return replace(result, object=found.id or request.object)


def _date(answer: Answer) -> datetime:
    try:
        return parsedate_to_datetime(answer.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)
