"""Run history, leases and read counts. Implemented in `stores/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ConnectionReads:
    """What a run asked of a connection: requests that went out (retries included), of which some were retries, and how
    many answers were rate limits. `used` counts all requests of the days that the budget is for, when the run ended.
    Without retries, and beside those for tables: `events` are those for changes (with objects of tables that the run
    does not need but keeps current), `account` those that find out whose key it is and which accounts are connected.
    """

    connection: str
    requests: int
    retries: int
    limited: int
    used: int
    budget: int | None
    events: int = 0
    account: int = 0


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run: `status` is running, succeeded, failed, stopped or abandoned (its process died)."""

    id: str
    interfaces: tuple[str, ...]
    status: str
    started: datetime
    ended: datetime | None
    user: str
    commit: str | None
    plan_hash: str
    counts: Mapping[str, int]
    reads: tuple[ConnectionReads, ...] = ()


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step of a run: `status` is succeeded, failed, skipped or stopped; `message` says why."""

    step: str
    kind: str
    status: str
    started: datetime
    ended: datetime
    counts: Mapping[str, int]
    message: str | None


class ReadLedger(Protocol):
    """How many requests that read each connection has made, by day."""

    def count_reads(self, connection: str, day: date, requests: int) -> None:
        """Add to what was made on a day."""
        ...

    def reads_since(self, day: date) -> Mapping[str, int]:
        """By connection, what was made on this day and later."""
        ...


class RunStore(Protocol):
    """Run state: runs, steps, leases with fencing tokens. SQLite by default."""

    def acquire(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> int | None:
        """A fencing token for the lease `name`, or None when somebody else holds it and is alive."""
        ...

    def renew(self, name: str, token: int, now: datetime, ttl_seconds: float) -> bool:
        """Prolong the lease; False when it was lost (the run must stop before its next commit)."""
        ...

    def release(self, name: str, token: int) -> None:
        """Give the lease back."""
        ...

    def holder(self, name: str) -> str | None:
        """Who holds the lease, in words ("pid 4711 on build-3, since 10:02"), or None."""
        ...

    def evict(self, name: str, owner: str) -> bool:
        """Free the lease if exactly `owner` holds it, whose process is proven dead; False if not so."""
        ...

    def begin_run(self, run: RunRecord) -> None:
        """Record that a run has started."""
        ...

    def end_step(self, run_id: str, step: StepRecord) -> None:
        """Record how a step ended."""
        ...

    def end_run(
        self,
        run_id: str,
        status: str,
        ended: datetime,
        counts: Mapping[str, int],
        reads: Sequence[ConnectionReads] = (),
    ) -> None:
        """Record how a run ended."""
        ...

    def runs(self, limit: int) -> Sequence[RunRecord]:
        """The newest runs first."""
        ...

    def run(self, run_id: str) -> tuple[RunRecord, Sequence[StepRecord]] | None:
        """One run with its steps; `run_id` may be an unambiguous beginning."""
        ...

    def tracked(self) -> Mapping[tuple[str, str], str]:
        """Values of tracked parameters after the last successful run: (interface, parameter) → value."""
        ...

    def track(self, interface: str, values: Mapping[str, str]) -> None:
        """Remember tracked parameters (called with the end of a successful interface)."""
        ...

    def close(self) -> None:
        """Release the database."""
        ...
