"""What a run tells while it goes on: data for progress bars, plain lines and `--format json` alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run `run_id` begins with so many tasks."""

    at: datetime
    run_id: str
    interfaces: tuple[str, ...]
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """A task begins. `title` is for people ("read shop.customers")."""

    at: datetime
    run_id: str
    task: str
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class TaskProgressed:
    """Totals of a running task since its start (requests, rows, bytes, retries …), and why it waits, if it does."""

    at: datetime
    run_id: str
    task: str
    counts: Mapping[str, int]
    waiting: str | None = None


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """A task ended. `message` says why it failed, was skipped or stopped, `code` is the diagnostic code of a failure.

    `warnings` are sentences about what went well and should be looked at.
    """

    at: datetime
    run_id: str
    task: str
    kind: str
    status: Literal["succeeded", "failed", "skipped", "stopped"]
    counts: Mapping[str, int]
    message: str | None = None
    hint: str | None = None
    code: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is over."""

    at: datetime
    run_id: str
    status: Literal["succeeded", "failed", "stopped"]
    counts: Mapping[str, int]
    seconds: float


Event = RunStarted | TaskStarted | TaskProgressed | TaskEnded | RunEnded
EventSink = Callable[[Event], None]
