"""One slice of one account's reads."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast

import msgspec

from engine.connector import (
    ACCOUNT,
    Changes,
    ConnectorError,
    Failure,
    Gone,
    Identity,
    SliceReport,
    SliceTotals,
    encode_slice,
    encode_totals,
)
from engine.run import Json, Output, TaskContext

from ..accounts import own_account
from ..catalogue import load_catalogue
from ..client import Client, RetryPolicy, Settings, open_key, shared_buckets
from ..planning.read_options import AccountEvents, BelowParents, ReadOptions, decode_options
from .changes import ChangeReader
from .claims import Claims
from .cursors import State
from .extraction import Extraction
from .readers import TableReader, make_readers
from .spools import SpoolSet

MAX_SLICE_BYTES: Final = 256 << 20
MAX_SLICE_SECONDS: Final = 60.0
_REPORT_SECONDS: Final = 0.2
_HELD: Final = "as fast as the limits let requests out"


def open_client(config: Mapping[str, Json], account: str | None) -> Client:
    """A client for the account. Raises `ConnectorError` when there is no key that can be used."""
    settings = Settings.of(config, load_catalogue().api_version)
    key = open_key(settings, os.environ)
    if isinstance(key, Failure):
        raise ConnectorError(key)
    policy = msgspec.convert(config.get("retry") or {}, RetryPolicy)
    return Client(settings, key, account, policy, buckets=shared_buckets(settings, key, os.environ))


def slice_limits(config: Mapping[str, Json]) -> tuple[int, float]:
    """How many bytes and seconds a slice may take."""
    size = config.get("max_slice_bytes") or MAX_SLICE_BYTES
    seconds = config.get("max_slice_seconds") or MAX_SLICE_SECONDS
    return int(cast("int", size)), float(cast("float", seconds))


def slice_requests(config: Mapping[str, Json]) -> int:
    """How many requests a slice may make. Those that belong to what was begun are made nevertheless."""
    given = config.get("max_slice_requests")
    return sys.maxsize if given is None else int(cast("int", given))


def extract_slice(config: Mapping[str, Json], payload: Mapping[str, Json], context: TaskContext) -> Output:
    """Read one slice of one account; see `extract_partition`."""
    given = cast("Mapping[str, Any]", payload)
    client = open_client(config, given.get("account"))
    settings, mode = client.settings, client.key.mode
    livemode = None if mode is None else mode == "live"
    options = [decode_options(read["options"]) for read in given["reads"]]
    readers = make_readers(options, livemode)
    state = _state(given.get("state"), readers)
    spool = SpoolSet(context.directory, given.get("account") or "", settings.api_version, livemode)
    claims = Claims(spool.account, settings.api_version)
    report = _Reporter(client, spool, context)
    max_bytes, max_seconds = slice_limits(config)
    changes = _changes(readers, options, state)
    extraction = Extraction(
        client=client,
        readers=readers,
        state=state,
        spool=spool,
        claims=claims,
        max_bytes=max_bytes,
        max_requests=slice_requests(config),
        until=client.timing.now() + max_seconds,
        workers=settings.concurrency,
        ceiling_lag=int(cast("int", config.get("ceiling_lag") or 0)),
        cancelled=context.cancelled,
        progress=report.progress,
        tolerant=config.get("table_failures") == "report",
        changes=changes,
    )
    asks = config.get("identify") is True and given.get("account") is None and given.get("state") is None
    try:
        identity = asyncio.run(_run(extraction, asks=asks))
    except BaseException:
        spool.abandon()
        report.send()
        raise
    report.send()
    spool.api_version = client.counts.api_version or settings.api_version
    events = tuple(claims.events(options, state, changes))  # before the state is encoded, which records the claim
    found = SliceReport(
        remaining=msgspec.to_builtins(state, str_keys=True) if state.cursors else None,
        coverage=tuple(claims.coverage(options, state, final=not state.cursors)),
        changes=Changes(
            gone=tuple(Gone(spool.account, table, tuple(ids)) for table, ids in extraction.gone.items()),
            renewed=tuple(claims.renewed(options, state)),
            events=events,
            identity=Identity(identity, livemode) if identity is not None else None,
        ),
        failures=tuple(extraction.failures),
        warnings=_warnings(settings, spool),
        totals=report.totals(),
    )
    return Output(files=spool.close(), value=encode_slice(found))


async def _run(extraction: Extraction, *, asks: bool) -> str | None:
    """Read; meanwhile look up the account of the key, if `asks`. The account's id, or None."""
    if asks:
        extraction.spool.requests_by_table[ACCOUNT] += 1
    async with extraction.client:
        asked = asyncio.create_task(own_account(extraction.client)) if asks else None
        try:
            await extraction.run()
            return await asked if asked is not None else None
        finally:
            if asked is not None:
                asked.cancel()
                await asyncio.gather(asked, return_exceptions=True)


def _state(given: Json, readers: list[TableReader]) -> State:
    if given is None:
        return State(
            cursors=[cursor for reader in readers for cursor in reader.first_cursors()],
            totals={
                each.index: (each.options.gathering.pages, each.options.gathering.rows)
                for each in readers
                if isinstance(each.options, BelowParents) and each.options.gathering is not None
            },
        )
    return msgspec.convert(given, State, strict=False)


def _changes(readers: list[TableReader], options: list[ReadOptions], state: State) -> ChangeReader | None:
    """What takes the events that this slice reads; None when it reads none."""
    wanted = next((each for each in options if isinstance(each, AccountEvents)), None)
    if wanted is None or not any(options[cursor.read] is wanted for cursor in state.cursors):
        return None
    return ChangeReader(readers, frozenset(wanted.applied), wanted.settled or 0)


def _warnings(settings: Settings, spool: SpoolSet) -> tuple[str, ...]:
    if spool.api_version == settings.api_version:
        return ()
    asked, got = settings.api_version, spool.api_version
    return (f"requested API version {asked}, got {got}: fields that the catalogue does not know are kept in `_extra`",)


class _Reporter:
    """Reports to the driver how far the slice is, a few times a second."""

    def __init__(self, client: Client, spool: SpoolSet, context: TaskContext) -> None:
        self._client = client
        self._spool = spool
        self._context = context
        self._next = 0.0

    def progress(self, held: bool) -> None:
        """Report, unless that was done just before. `held`: requests wait for the limits."""
        now = self._client.timing.now()
        if now >= self._next:
            self._next = now + _REPORT_SECONDS
            self.send(held=held)

    def send(self, *, held: bool = False) -> None:
        """Report now."""
        waiting = self._client.counts.waiting or (_HELD if held else None)
        self._context.report(encode_totals(replace(self.totals(), waiting=waiting)))

    def totals(self) -> SliceTotals:
        """What the slice did so far."""
        counts = self._client.counts
        return SliceTotals(
            counts={
                "sent": counts.requests,
                "retries": counts.retries,
                "limited": counts.limited,
                "pages": self._spool.pages,
                "rows": self._spool.rows,
                "bytes": self._spool.bytes,
            },
            tables=dict(self._spool.rows_by_table),
            requests=dict(self._spool.requests_by_table),
        )
