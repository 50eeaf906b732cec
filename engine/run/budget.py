"""Requests that read, counted as they go out, against what a connection may make of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from engine.connector import ACCOUNT, CHANGES, Failure, FailureKind
from engine.plan import BUDGET_DAYS, ConnectionSettings

from .environment import World
from .ports.records import ConnectionReads, ReadLedger

_NOTE_SECONDS: Final = 2.0
BUDGET_HINT: Final = "`--over-budget` goes on all the same; `limits.read_budget` of the connection raises it"


def first_day(now: datetime) -> date:
    """The first day that counts for a budget now."""
    return now.date() - timedelta(days=BUDGET_DAYS - 1)


class ReadMeter:
    """Counts what the extraction of one connection sends, also if it fails; for use by several threads.

    `totals` are the extraction's own, of which `sent` are the requests that went out; those for changes and for the
    account stand under `CHANGES` and `ACCOUNT`.
    """

    def __init__(self, settings: ConnectionSettings, world: World, totals: Callable[[], Mapping[str, int]]) -> None:
        self._connection = settings.name
        self._budget = settings.read_budget
        self._ledger: ReadLedger = world.reads
        self._over = world.over_budget
        self._now = world.now
        self._totals = totals
        self._noted = 0
        self._due = world.now()
        self._lock = threading.Lock()

    def note(self) -> None:
        """Write down what has been sent, so that a run that is killed has counted it; only now and then."""
        if self._now() >= self._due:
            self._write()

    def left(self) -> int | None:
        """How many requests may be sent yet, others' included in the count; None for any number."""
        self._write()
        if self._budget is None or self._over:
            return None
        return self._budget - self._used()

    def spent(self) -> Failure:
        """Why nothing more is read."""
        return Failure(
            FailureKind.BUDGET,
            f"the read budget of `{self._connection}` is exhausted: {self._used():,} of {self._budget or 0:,} requests "
            f"in {BUDGET_DAYS} days; rows that were read are kept",
            BUDGET_HINT,
        )

    def figures(self) -> ConnectionReads:
        """What was asked of the connection, and where its budget stands."""
        self._write()
        totals = self._totals()
        return ConnectionReads(
            self._connection,
            totals.get("sent", 0),
            totals.get("retries", 0),
            totals.get("limited", 0),
            self._used(),
            self._budget,
            totals.get(CHANGES, 0),
            totals.get(ACCOUNT, 0),
        )

    def _used(self) -> int:
        return self._ledger.reads_since(first_day(self._now())).get(self._connection, 0)

    def _write(self) -> None:
        with self._lock:
            now = self._now()
            self._due = now + timedelta(seconds=_NOTE_SECONDS)
            sent = self._totals().get("sent", 0)
            if sent > self._noted:
                self._ledger.count_reads(self._connection, now.date(), sent - self._noted)
                self._noted = sent
