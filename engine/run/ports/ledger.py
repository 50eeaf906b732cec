"""The write ledger. Implemented in `stores/`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.connector import Failure


class OpState(StrEnum):
    """How far a write has come."""

    PLANNED = "planned"  # written down, not sent
    SENT = "sent"  # it may have reached the provider
    DONE = "done"
    FAILED = "failed"  # the provider refused it
    UNKNOWN = "unknown"  # sent, and no answer that says what became of it
    QUARANTINED = "quarantined"  # a person has to say what became of it
    DROPPED = "dropped"  # never sent, and not to be sent any more


OPEN_STATES = frozenset({OpState.PLANNED, OpState.SENT, OpState.UNKNOWN})
"""The states from which a later run goes on."""


DOUBTFUL_STATES = frozenset({OpState.SENT, OpState.UNKNOWN, OpState.QUARANTINED})
"""The states in which nobody knows what became of a write. Its key is not written again until that is settled."""


@dataclass(frozen=True, slots=True)
class Op:
    """A write in the ledger. `id` is its idempotency key; `parameters` are exactly what is sent, (path, text).

    `result` is the id of the object that the provider answered with; `note` says in words what became of it.
    """

    id: str
    run: str
    step: str
    connection: str
    number: int
    use: str
    target: str
    key: str
    object: str | None
    parameters: tuple[tuple[str, str], ...]
    state: OpState
    planned: datetime
    lane: str | None = None
    requires: str | None = None
    sent: datetime | None = None
    ended: datetime | None = None
    result: str | None = None
    failure: Failure | None = None
    request: str | None = None
    note: str | None = None
    answer: bytes | None = None
    """What the provider answered, until staging has it."""


@dataclass(frozen=True, slots=True)
class OpEnd:
    """What became of a write."""

    id: str
    state: OpState
    ended: datetime
    result: str | None = None
    failure: Failure | None = None
    request: str | None = None
    note: str | None = None
    answer: bytes | None = None


class WriteLedger(Protocol):
    """Every write, written down before it is sent. Each method is one transaction, durable when it returns."""

    def plan_ops(self, ops: Sequence[Op]) -> None:
        """Write them down; none is there yet."""
        ...

    def mark_sent(self, ids: Sequence[str], now: datetime) -> None:
        """They are about to be sent. The first moment stays."""
        ...

    def end_ops(self, ends: Sequence[OpEnd]) -> None:
        """What became of them. One that is done makes its key stand for its object (see `identities`); one that retires
        an object takes that back."""
        ...

    def staged(self, ids: Sequence[str]) -> None:
        """Staging has what the provider answered to these: the ledger forgets it."""
        ...

    def unstaged(self, connection: str) -> Sequence[Op]:
        """Those that are done and whose answer staging does not have, in order of their numbers."""
        ...

    def open_ops(self, connection: str) -> Sequence[Op]:
        """Those in `OPEN_STATES`, in order of their numbers."""
        ...

    def identities(self, connection: str, step: str) -> Mapping[str, str]:
        """Which object each key of a step stands for."""
        ...

    def remember(self, connection: str, step: str, found: Iterable[tuple[str, str]], now: datetime) -> None:
        """These keys of a step stand for these objects."""
        ...

    def blocked(self, connection: str, step: str) -> frozenset[str]:
        """The keys of a step of which a write is unknown or quarantined."""
        ...

    def called(self, connection: str, step: str) -> Mapping[str, str]:
        """The keys for which a step's function was called with success, each with the id of what was answered; empty
        where that has none."""
        ...

    def ops(
        self, limit: int, states: Sequence[OpState] = (), run: str | None = None, step: str | None = None
    ) -> Sequence[Op]:
        """The newest first; of runs whose ids begin with `run`, and of this step, or all of this interface, if that is
        given."""
        ...

    def op(self, op_id: str) -> Op | None:
        """One of them; the id may be an unambiguous beginning."""
        ...

    def ops_beginning(self, op_id: str, limit: int) -> Sequence[Op]:
        """At most so many of those whose id is this or begins so, in order of id."""
        ...

    def count_ops(self, run: str) -> Mapping[OpState, int]:
        """How many writes of a run are in which state; without those that there are none of."""
        ...

    def steps(self) -> Sequence[str]:
        """The steps that have writes, sorted."""
        ...

    def resolve(self, end: OpEnd) -> bool:
        """As `end_ops`, for one in `DOUBTFUL_STATES`; False, and nothing done, when it is in none of them any more."""
        ...
