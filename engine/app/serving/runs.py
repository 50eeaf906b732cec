"""Runs of a server: each on a thread, pinned to the generation that it began with, stopped when its time is over.

Of an interface one goes on at a time. Whoever comes meanwhile is refused, or waits for its turn, as `on_overlap` says.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from engine.app.checking.check import Checked
from engine.app.errors import Exit, RefusalError, RunsElsewhereError
from engine.app.logging import log, logged_with, redact
from engine.app.running.run import exit_code, run_planned
from engine.app.running.world import GivenRows, RunOptions, new_run_id
from engine.app.workspace import Workspace
from engine.plan import Plan
from engine.report.runs.run_json import render_event_json
from engine.run import Event, Run

from .event_log import Story

_LOOK: Final = 0.2
_AGAIN: Final = timedelta(seconds=1)
"""How long a run waits before it looks again whether another process still runs its interface."""

Status = Literal["waiting", "running", "succeeded", "failed", "stopped", "refused"]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to run, who says so ("schedule", or a token's name), and of which generation. `rows` are checked.
    `waits`: for its turn, when the interface runs already."""

    interface: str
    by: str
    generation: int
    timeout: float | None = None
    rows: tuple[GivenRows, ...] = ()
    run_id: str | None = None
    waits: bool = False


class OverlapError(RefusalError):
    """The interface runs already, as `run`, and does not wait."""

    def __init__(self, interface: str, run: str) -> None:
        hint = "order it again when that run is over, or have it wait: `concurrency: {on_overlap: wait}`"
        super().__init__(Exit.BUSY, f"`{interface}` runs already: {run}", hint)
        self.run = run


@dataclass(slots=True)
class Ordered:
    """A run that was ordered. `by` says who did ("schedule", or a token's name); `code` is the exit code that
    the command would have. `timed_out`: it was stopped because its time was over."""

    id: str
    interface: str
    by: str
    generation: int
    at: datetime
    timeout: float | None = None
    status: Status = "waiting"
    started: datetime | None = None
    ended: datetime | None = None
    code: Exit | None = None
    message: str | None = None
    timed_out: bool = False
    run: Run | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    story: Story = field(default_factory=Story)
    over: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class _Waiting:
    """A run that has not begun, and all that it takes. `not_before`: another process ran the interface just now."""

    ordered: Ordered
    rows: tuple[GivenRows, ...]
    waits: bool
    prepare: Callable[[], tuple[Checked, Plan]]
    not_before: datetime | None = None


@dataclass(slots=True)
class Runs:
    """Carries out runs beside each other, `parallel` of them and one of each interface, and knows those of this
    process. For several threads."""

    workspace: Workspace
    now: Callable[[], datetime]
    environment: Mapping[str, str]
    isolated: bool
    parallel: int = 4
    keep: int = 200
    queue: int = 200
    on_end: Callable[[Ordered], None] = lambda _: None
    _pool: ThreadPoolExecutor = field(init=False)
    _known: dict[str, Ordered] = field(default_factory=dict)
    _waiting: list[_Waiting] = field(default_factory=list)
    """In the order in which they came."""
    _running: set[str] = field(default_factory=set)
    """The interfaces that run."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closing: bool = False

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(self.parallel, thread_name_prefix="run")

    def order(self, order: Order, prepare: Callable[[], tuple[Checked, Plan]]) -> Ordered:
        """Have it run when it is its turn; `prepare` makes its plan. RefusalError when the server stops, when too much
        waits, or (OverlapError) when its interface runs already and it does not wait."""
        now = self.now()
        run_id = order.run_id or new_run_id(now)
        ordered = Ordered(run_id, order.interface, order.by, order.generation, now, order.timeout)
        with self._lock:
            if self._closing:
                raise RefusalError(Exit.BUSY, "the server is stopping", "order it again when it is back")
            before = [each for each in self._known.values() if not each.over.is_set()]
            active = next((each for each in before if each.interface == order.interface), None)
            if active is not None and not order.waits:
                raise OverlapError(order.interface, active.id)
            if len(self._waiting) >= self.queue:
                hint = "order it again when some have ended"
                raise RefusalError(Exit.BUSY, f"{len(self._waiting)} runs wait already", hint)
            self._known[ordered.id] = ordered
            for old in [each for each in self._known.values() if each.over.is_set()][: -self.keep]:
                del self._known[old.id]
            self._waiting.append(_Waiting(ordered, order.rows, order.waits, prepare))
        self.begin_waiting()
        return ordered

    def begin_waiting(self) -> None:
        """Begin the runs whose turn it is. It is looked at whenever one is ordered or has ended; call it now and then
        for those that wait for another process."""
        now = self.now()
        with self._lock:
            passed = set(self._running)
            for each in tuple(self._waiting):
                if len(self._running) >= self.parallel:
                    return
                interface = each.ordered.interface
                if interface in passed:
                    continue
                passed.add(interface)
                if each.not_before is None or each.not_before <= now:
                    future = self._pool.submit(self._carry_out, each)
                    self._waiting.remove(each)
                    self._running.add(interface)
                    future.add_done_callback(_demand_quiet)

    def stop(self, ordered: Ordered) -> None:
        """Have it stop between two commits; one that waits for its turn ends at once."""
        ordered.stop.set()
        with self._lock:
            found = [each for each in self._waiting if each.ordered is ordered]
            for each in found:
                self._waiting.remove(each)
        for each in found:
            self._leave_out(each.ordered)

    def find(self, run_id: str) -> Ordered | None:
        """A run of this process."""
        with self._lock:
            return self._known.get(run_id)

    def listed(self) -> list[Ordered]:
        """The runs of this process, the newest first."""
        with self._lock:
            return sorted(self._known.values(), key=lambda each: each.at, reverse=True)

    def going_on(self) -> list[Ordered]:
        """Those that are not over."""
        return [each for each in self.listed() if not each.over.is_set()]

    def stop_late(self) -> None:
        """Stop those whose time is over."""
        now = self.now()
        for each in self.going_on():
            if each.timeout is None or each.started is None or each.timed_out:
                continue
            if (now - each.started).total_seconds() > each.timeout:
                each.timed_out = True
                each.stop.set()
                log("run timed out", run=each.id, interface=each.interface, seconds=each.timeout)

    def close(self, deadline: float) -> None:
        """Take no more, wait so many seconds for those that go on, then stop them between two commits."""
        with self._lock:
            self._closing = True
        for waiting in tuple(self._waiting):
            self.stop(waiting.ordered)
        left = self.going_on()
        end = time.monotonic() + deadline
        for each in left:
            while not each.over.wait(min(_LOOK, max(0.0, end - time.monotonic()))):
                self.stop_late()
                if time.monotonic() >= end:
                    each.stop.set()
                    break
        self._pool.shutdown(wait=True)

    def _carry_out(self, waiting: _Waiting) -> None:
        ordered = waiting.ordered
        with logged_with(run=ordered.id, generation=ordered.generation):
            is_over = not ordered.stop.is_set() and self._run(waiting)
        with self._lock:
            self._running.discard(ordered.interface)
            is_put_back = not is_over and not ordered.stop.is_set() and not self._closing
            if is_put_back:
                self._waiting.insert(0, waiting)
        if is_over:
            self._end(ordered)
        elif not is_put_back:
            self._leave_out(ordered)
        self.begin_waiting()

    def _run(self, waiting: _Waiting) -> bool:
        """Carry it out. False when it has to wait again: another process runs the interface."""
        ordered = waiting.ordered
        try:
            ordered.status, ordered.started = "running", self.now()
            log("run begins", interface=ordered.interface, by=ordered.by)
            checked, plan = waiting.prepare()
            options = RunOptions(
                self.isolated, self.environment, ordered.stop, run_id=ordered.id, by=ordered.by, rows=waiting.rows
            )
            run = run_planned(self.workspace, checked, plan, options, lambda event: _tell(ordered, event))
            ordered.run, ordered.code, ordered.status = run, exit_code(run), run.status
            ordered.message = _message(run) if not ordered.timed_out else f"stopped after {ordered.timeout:g} seconds"
        except RefusalError as error:
            if waiting.waits and isinstance(error, RunsElsewhereError):
                log("run waits", interface=ordered.interface, reason=error.message)
                ordered.status, ordered.started = "waiting", None
                waiting.not_before = self.now() + _AGAIN
                return False
            ordered.status, ordered.code, ordered.message = "refused", error.code, error.message
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not end the server
            ordered.status, ordered.code = "failed", Exit.FAILED
            ordered.message = redact(f"unexpected {type(error).__name__}: {error}")
        return True

    def _leave_out(self, ordered: Ordered) -> None:
        ordered.status, ordered.message = "stopped", "it was stopped before it began"
        self._end(ordered)

    def _end(self, ordered: Ordered) -> None:
        ordered.ended = self.now()
        seconds = (ordered.ended - (ordered.started or ordered.at)).total_seconds()
        log(
            "run over",
            run=ordered.id,
            generation=ordered.generation,
            interface=ordered.interface,
            status=ordered.status,
            seconds=seconds,
            message=ordered.message,
        )
        ordered.over.set()
        ordered.story.end()
        self.on_end(ordered)


def is_transient(ordered: Ordered) -> bool:
    """Whether it ended for a reason that may pass by itself: the provider, the network, somebody else's run."""
    return not ordered.timed_out and ordered.code in (Exit.ENVIRONMENT, Exit.BUSY)


def _message(run: Run) -> str | None:
    failed = next((each for each in run.outcomes if each.status == "failed"), None)
    return failed.message if failed is not None else None


def _tell(ordered: Ordered, event: Event) -> None:

    ordered.story.tell(render_event_json(event))


def _demand_quiet(future: Future[None]) -> None:
    error = future.exception()
    if error is not None:
        log("a run's thread has failed", error=repr(error))
