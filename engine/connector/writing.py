"""Writes on their way to a provider, and how they ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from .failure import Failure


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """One write. `id` is its idempotency key: the same id is done once, however often it is sent.

    `target` names an entity's verb ("customers.update") or a function ("invoices.finalize"). `parameters` are
    (path, text) in order. Requests of one `lane` are sent one after the other; one that `requires` another is sent only
    when that one is done.
    """

    id: str
    target: str
    object: str | None
    parameters: tuple[tuple[str, str], ...]
    lane: str | None = None
    requires: str | None = None


class WriteState(StrEnum):
    """How a write ended."""

    DONE = "done"
    FAILED = "failed"  # the provider refused it: nothing has changed
    UNKNOWN = "unknown"  # it may have been done or not
    UNSENT = "unsent"  # the run was stopped, or what it requires failed


@dataclass(frozen=True, slots=True)
class WriteResult:
    """How a write ended. `object` is the id of what the provider answered with, `body` that answer, as JSON.

    `replayed`: the provider repeated the answer of an earlier try. `answered` is the provider's timestamp.
    """

    id: str
    state: WriteState
    object: str | None = None
    failure: Failure | None = None
    body: bytes | None = None
    request: str | None = None
    replayed: bool = False
    answered: datetime | None = None


@dataclass(frozen=True, slots=True)
class WriteCounts:
    """Requests that went out (repeated ones included), of which some were retries, and how often a limit was met."""

    requests: int = 0
    retries: int = 0
    limited: int = 0


@dataclass(frozen=True, slots=True)
class WriteHooks:
    """What a writer tells while it works. All may be called from any one thread, never two at once.

    `sending` is called with ids before their requests go out, and what it does is durable when it returns. `ended` is
    called with results. When `stopping` turns true, nothing more is sent and what is under way is waited for. `waiting`
    says why nothing goes out for a while; None: it does.
    """

    sending: Callable[[Sequence[str]], None]
    ended: Callable[[Sequence[WriteResult]], None]
    stopping: Callable[[], bool]
    waiting: Callable[[str | None], None]


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """A spool file with objects that a provider answered with; see `connector.spool` for `meta`."""

    path: Path
    rows: int
    table: str
    meta: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SpooledAnswers:
    """Answers on their way to the mirror: the files of objects, and by table the ids of those that are gone."""

    files: tuple[AnswerFile, ...] = ()
    gone: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Writer(Protocol):
    """Sends writes to a provider within its limits."""

    def write(self, requests: Sequence[WriteRequest], hooks: WriteHooks) -> WriteCounts:
        """Send all of them; every one is told to `hooks.ended` once. `ConnectorError` before the first one when the key
        cannot be had or is of the wrong mode."""
        ...

    def read(self, table: str, ids: Sequence[str]) -> Sequence[WriteResult]:
        """The objects as they are now: DONE with a body, FAILED (`FailureKind.MISSING`) for one that is not there."""
        ...

    def renew(self, answers: Sequence[tuple[str, bytes]]) -> Sequence[tuple[str, bytes]]:
        """The objects of (target, answer) pairs as they are now, as such pairs: an answer that was left behind, or that
        the provider has repeated, says how they were. What cannot be read by itself comes as it was given."""
        ...

    def spool(self, answers: Sequence[tuple[str, bytes]], folder: Path) -> SpooledAnswers:
        """What (target, answer) pairs tell the mirror, with files in the new folder `folder`. The last of an object
        counts. Answers that belong to no table are left out."""
        ...
