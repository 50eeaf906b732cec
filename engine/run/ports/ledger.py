"""The write ledger. Implemented in `stores/`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.connector import Failure


class OpState(StrEnum):
    """The state of a write."""

    PLANNED = "planned"  # recorded, not sent
    SENT = "sent"  # it may have reached the provider
    DONE = "done"
    FAILED = "failed"  # refused by the provider
    UNKNOWN = "unknown"  # sent, with an unknown outcome
    QUARANTINED = "quarantined"  # a person has to record the outcome
    DROPPED = "dropped"  # never sent, and never will be


OPEN_STATES = frozenset({OpState.PLANNED, OpState.SENT, OpState.UNKNOWN})
"""The states from which a later run continues."""


DOUBTFUL_STATES = frozenset({OpState.SENT, OpState.UNKNOWN, OpState.QUARANTINED})
"""The states of a write with an unknown outcome. Its key is not written again until the outcome is settled."""


@dataclass(frozen=True, slots=True)
class Op:
    """A write in the ledger. `id` is its idempotency key; `parameters` are exactly what is sent, (path, text).

    `result` is the id of the object in the provider's response; `note` describes the outcome for people.
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
    """The provider's response, until staging has it."""


@dataclass(frozen=True, slots=True)
class OpEnd:
    """The outcome of a write."""

    id: str
    state: OpState
    ended: datetime
    result: str | None = None
    failure: Failure | None = None
    request: str | None = None
    note: str | None = None
    answer: bytes | None = None


class WriteLedger(Protocol):
    """Every write, recorded before it is sent. Each method is one transaction, durable when it returns."""

    def plan_ops(self, ops: Sequence[Op]) -> None:
        """Record new writes."""
        ...

    def mark_sent(self, ids: Sequence[str], now: datetime) -> None:
        """Record that writes are about to be sent. The first timestamp of a write stays."""
        ...

    def end_ops(self, ends: Sequence[OpEnd]) -> None:
        """Record outcomes. A write that is done binds its key to its object (see `identities`); one that retires an
        object removes the binding."""
        ...

    def staged(self, ids: Sequence[str]) -> None:
        """Drop the responses of these writes: staging has them."""
        ...

    def unstaged(self, connection: str) -> Sequence[Op]:
        """Writes that are done and whose response staging does not have, in order of their numbers."""
        ...

    def open_ops(self, connection: str) -> Sequence[Op]:
        """Writes in `OPEN_STATES`, in order of their numbers."""
        ...

    def identities(self, connection: str, step: str) -> Mapping[str, str]:
        """The object of each key of a step."""
        ...

    def remember(self, connection: str, step: str, found: Iterable[tuple[str, str]], now: datetime) -> None:
        """Bind keys of a step to objects."""
        ...

    def blocked(self, connection: str, step: str) -> frozenset[str]:
        """The keys of a step with a write in `DOUBTFUL_STATES`."""
        ...

    def called(self, connection: str, step: str) -> Mapping[str, str]:
        """The keys for which a step's function was called successfully, each with the id of the object in the response;
        empty text where the response has none."""
        ...

    def ops(
        self, limit: int, states: Sequence[OpState] = (), run: str | None = None, step: str | None = None
    ) -> Sequence[Op]:
        """The newest writes first, of runs whose ids begin with `run` and of a step or all steps of an interface, where
        given."""
        ...

    def op(self, op_id: str) -> Op | None:
        """A write by its id or an unambiguous beginning of it."""
        ...

    def ops_beginning(self, op_id: str, limit: int) -> Sequence[Op]:
        """At most `limit` writes whose id begins with `op_id`, in order of id."""
        ...

    def count_ops(self, run: str) -> Mapping[OpState, int]:
        """The number of writes of a run by state, without states that have none."""
        ...

    def steps(self) -> Sequence[str]:
        """The steps that have writes, sorted."""
        ...

    def resolve(self, end: OpEnd) -> bool:
        """As `end_ops`, for a write in `DOUBTFUL_STATES`; False, without a change, if it has left them."""
        ...
