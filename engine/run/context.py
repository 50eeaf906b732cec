"""What the tasks of a run share, and how they fail."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, assert_never

from engine.diagnostics import Place
from engine.graph import Call, Export, Extract, Import, Respond, Step, StopIf
from engine.plan import ConnectionSettings, StepWrites

from .environment import Exports, World
from .events import EventSink, TaskEnded, TaskProgressed, TaskStarted
from .mirrors import Mirrors
from .outcome import Outcome, Status
from .ports.records import ConnectionReads
from .schedule import interface_of

_POLL_SECONDS = 0.2
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


class StoppedError(Exception):
    """The run was cancelled, or lost a lease, before a task could commit."""


class TaskError(Exception):
    """A task failed for a reason of its own; `code` is a diagnostic code."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class RunContext:
    """What tasks share. `folder` keeps what the run leaves behind, `spool` what it needs only while it goes on."""

    run_id: str
    world: World
    events: EventSink
    connections: Mapping[str, ConnectionSettings]
    lease_lost: Callable[[], bool]
    mirrors: Mirrors
    folder: Path
    spool: Path
    read_at: dict[str, datetime] = field(default_factory=dict)
    """By connection: the earliest moment, in the provider's time, at which one of its tables was read."""
    reads: dict[str, ConnectionReads] = field(default_factory=dict)
    """By connection: what was asked of it."""
    planned: dict[str, StepWrites] = field(default_factory=dict)
    """By step: what it writes, once that is known."""
    found: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """By step: the objects (key → id) that its rows have meant."""
    writers: threading.Lock = field(default_factory=threading.Lock)
    """Held by the step that writes to a provider: of one run, one at a time."""

    @property
    def exports(self) -> Exports:
        """What writes to providers need."""
        if self.world.exports is None:
            raise AssertionError("this world has nothing to write to providers with")
        return self.world.exports

    def is_stopping(self) -> bool:
        """Whether work that is under way should end early."""
        return self.world.cancelled() or self.lease_lost()

    def demand_going(self) -> None:
        """Raise `StoppedError` when the run was cancelled or a lease is lost. Called before each commit."""
        if self.world.cancelled():
            raise StoppedError("the run was stopped")
        if self.lease_lost():
            raise StoppedError("a lease was lost, so another run may be writing: run it again")

    def begin(self, step: Step) -> datetime:
        """Tell that a task begins; when."""
        now = self.world.now()
        self.events(TaskStarted(now, self.run_id, step.id, kind_of(step), title_of(step)))
        return now

    @contextmanager
    def writing(self, step: Step) -> Iterator[None]:
        """Be the one step of the run that writes to a provider, with the mirrors of the run to itself."""
        while not self.writers.acquire(timeout=_POLL_SECONDS):
            self.demand_going()
        try:
            self.mirrors.take(lambda reason: self._wait(step, reason))
            yield
        finally:
            self.writers.release()

    def _wait(self, step: Step, reason: str) -> None:
        self.demand_going()
        self.progress(step.id, {}, f"another run uses this connection: {reason}")

    def progress(self, task: str, counts: Mapping[str, int], waiting: str | None = None) -> None:
        """Tell the totals of a running task."""
        self.events(TaskProgressed(self.world.now(), self.run_id, task, dict(counts), waiting))

    def outcome(self, step: Step, status: Status, started: datetime, **known: Any) -> Outcome:
        """How the task of `step` ended, now."""
        return Outcome(
            id=step.id,
            kind=kind_of(step),
            title=title_of(step),
            interface=interface_of(step),
            status=status,
            started=started,
            ended=self.world.now(),
            **known,
        )

    def tell(self, outcome: Outcome) -> None:
        """Tell how a task ended."""
        self.events(
            TaskEnded(
                outcome.ended,
                self.run_id,
                outcome.id,
                outcome.kind,
                outcome.status,
                outcome.counts,
                outcome.message,
                outcome.hint,
                outcome.code,
                outcome.warnings,
            )
        )

    def box_file(self, step: Step) -> Path:
        """A place for the rows of a step's box."""
        return self.spool / "boxes" / f"{file_name(step.id)}.duckdb"


def file_name(text: str) -> str:
    """`text` as the name of a file."""
    return _UNSAFE.sub("-", text)


def kind_of(step: Step) -> str:
    """The word for what a step does: extract, import, transform, export, call, stop_if or respond."""
    match step:
        case Extract():
            return "extract"
        case Import(connection=None):
            return "transform"
        case Import():
            return "import"
        case StopIf():
            return "stop_if"
        case Respond():
            return "respond"
        case Export():
            return "export"
        case Call():
            return "call"
        case _:
            assert_never(step)


def title_of(step: Step) -> str:
    """What a step does, for people."""
    match step:
        case Extract():
            return f"read {step.connection}.{step.table}"
        case Import():
            return f"{step.interface}.{step.name}: {step.action} {step.into}"
        case StopIf():
            return f"{step.interface}.{step.name}: stop if"
        case Respond():
            return f"{step.interface}.{step.name}: respond"
        case Export():
            return f"{step.interface}.{step.name}: {step.action} {step.connection}.{step.entity}"
        case Call():
            return f"{step.interface}.{step.name}: call {step.connection}.{step.function}"
        case _:
            assert_never(step)


def place_of(step: Step) -> Place | None:
    """Where a step is defined; an extract is not."""
    return None if isinstance(step, Extract) else step.origin
