"""What is left to do for one account of a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from engine.connector import CHANGES, EVENT_GAP, ConnectorError, Failure, FailureKind, Mirror, Pace, Read

from ...ports.executor import Json

_OF_A_TABLE: Final = frozenset(
    {FailureKind.PERMISSION, FailureKind.MISSING, FailureKind.REQUEST, FailureKind.ANSWER, FailureKind.PROVIDER}
)
"""Failures that do not affect other tables."""

Refresh = Callable[[Sequence[Read], Mirror, Pace], Sequence[Read]]
"""What must be requested, of what is wanted, given what the mirror has."""


@dataclass
class AccountWork:
    """The reads of an account that are not done. `wanted` is what the plan wants, `state` the extraction's own.

    Reads are those that the mirror leaves to do: see `Connector.refresh`. Those of the tables in `skipped` are not
    made, so that nothing follows their changes either. `read_at` is the timestamp of the rows that they return.
    """

    account: str | None
    wanted: tuple[Read, ...]
    mirror: Mirror
    pace: Pace
    refresh: Refresh
    read_at: datetime
    reads: tuple[Read, ...] = ()
    state: Json = None
    done: bool = False
    skipped: frozenset[str] = frozenset()
    _given_up: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Determine what must be read."""
        found = self.refresh(self.wanted, self.mirror, self.pace)
        self.reads = tuple(read for read in found if read.table not in self._given_up)
        self.state = None
        self.done = not self.reads

    def advance(self, state: Json) -> None:
        """A slice has ended; `state` is that of the next one, or None."""
        self.state = state
        self.done = state is None

    def skip(self, failure: Failure, read_at: datetime) -> frozenset[str]:
        """Start again without what failed as a whole; the tables that are given up.

        `read_at` is later than that of all that was loaded: what is gone since then must not look as if it had just
        been read. `ConnectorError` when the failure is not of one table. Where it is the events that cannot be read, no
        table is given up: all are read again instead.
        """
        if failure.kind not in _OF_A_TABLE:
            raise ConnectorError(failure)
        if failure.table == CHANGES:
            self._go_without_events(failure)
            gone: frozenset[str] = frozenset()
        else:
            gone = self.give_up(failure)
        self.skipped = frozenset(self._given_up)
        self.read_at = read_at
        self.begin()
        return gone

    def give_up(self, failure: Failure) -> frozenset[str]:
        """Give up the table that failed, and those below it; their names."""
        if failure.table is None or failure.table not in {read.table for read in self.reads}:
            raise ConnectorError(failure)
        gone = _with_children(failure.table, (*self.reads, *self.wanted))
        self._given_up |= gone
        return gone

    def _go_without_events(self, failure: Failure) -> None:
        if not self.pace.events or self.pace.lost is not None:
            raise ConnectorError(failure)
        if failure.code == EVENT_GAP and self.mirror.events is not None:
            self.pace = replace(self.pace, lost=self.mirror.events.until)
            self.mirror = replace(self.mirror, events=None, applied=())
        else:
            self.pace = replace(self.pace, events=False)


def _with_children(table: str, reads: Iterable[Read]) -> frozenset[str]:
    """The table and those that are read once for each of its rows."""
    gone = {table}
    size = 0
    listed = list(reads)
    while len(gone) > size:
        size = len(gone)
        gone |= {read.table for read in listed if any(request.per in gone for request in read.requests)}
    return frozenset(gone)
