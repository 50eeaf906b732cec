"""Runs of a server: each on a thread, pinned to the generation that it began with, stopped when its time is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from engine.app.errors import Exit, RefusalError
from engine.app.logging import log, logged_with, redact
from engine.app.run import exit_code, run_planned
from engine.app.world import RunOptions, new_run_id

from .events import Story

if TYPE_CHECKING:
    from engine.app.check import Checked
    from engine.app.world import GivenRows
    from engine.plan import Plan
    from engine.run import Event, Run

_LOOK: Final = 0.2
Status = Literal["waiting", "running", "succeeded", "failed", "stopped", "refused"]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to run, who says so ("schedule", or a token's name), and of which generation. `rows` are checked."""

    interface: str
    by: str
    generation: int
    timeout: float | None = None
    rows: tuple[GivenRows, ...] = ()
    run_id: str | None = None


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
class Runs:
    """Carries out runs beside each other, and knows those of this process. For several threads."""

    now: Callable[[], datetime]
    environment: Mapping[str, str]
    isolated: bool
    parallel: int = 4
    keep: int = 200
    queue: int = 200
    on_end: Callable[[Ordered], None] = lambda _: None
    _pool: ThreadPoolExecutor = field(init=False)
    _known: dict[str, Ordered] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closing: bool = False

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(self.parallel, thread_name_prefix="run")

    def order(self, order: Order, prepare: Callable[[], tuple[Checked, Plan]]) -> Ordered:
        """Have it run as soon as a thread is free; `prepare` makes its plan. RefusalError when the server stops, or
        when too much waits."""
        now = self.now()
        run_id = order.run_id or new_run_id(now)
        ordered = Ordered(run_id, order.interface, order.by, order.generation, now, order.timeout)
        waiting = sum(each.status == "waiting" for each in self.going_on())
        if waiting >= self.queue:
            raise RefusalError(Exit.BUSY, f"{waiting} runs wait already", "order it again when some have ended")
        with self._lock:
            if self._closing:
                raise RefusalError(Exit.BUSY, "the server is stopping", "order it again when it is back")
            self._known[ordered.id] = ordered
            for old in [each for each in self._known.values() if each.over.is_set()][: -self.keep]:
                del self._known[old.id]
            # Under the lock, so that nothing comes to a pool that is shut.
            self._pool.submit(self._carry_out, ordered, order.rows, prepare).add_done_callback(_demand_quiet)
        return ordered

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
        left = self.going_on()
        for each in left:
            if each.status == "waiting":
                each.stop.set()
        end = time.monotonic() + deadline
        for each in left:
            while not each.over.wait(min(_LOOK, max(0.0, end - time.monotonic()))):
                self.stop_late()
                if time.monotonic() >= end:
                    each.stop.set()
                    break
        self._pool.shutdown(wait=True)

    def _carry_out(
        self, ordered: Ordered, rows: tuple[GivenRows, ...], prepare: Callable[[], tuple[Checked, Plan]]
    ) -> None:
        with logged_with(run=ordered.id, generation=ordered.generation):
            self._run(ordered, rows, prepare)

    def _run(self, ordered: Ordered, rows: tuple[GivenRows, ...], prepare: Callable[[], tuple[Checked, Plan]]) -> None:
        try:
            if ordered.stop.is_set():
                ordered.status, ordered.message = "stopped", "it was stopped before it began"
                return
            ordered.status, ordered.started = "running", self.now()
            log("run begins", interface=ordered.interface, by=ordered.by)
            checked, plan = prepare()
            options = RunOptions(
                self.isolated, self.environment, ordered.stop, run_id=ordered.id, by=ordered.by, rows=rows
            )
            run = run_planned(checked, plan, options, lambda event: _tell(ordered, event))
            ordered.run, ordered.code, ordered.status = run, exit_code(run), run.status
            ordered.message = _message(run) if not ordered.timed_out else f"stopped after {ordered.timeout:g} seconds"
        except RefusalError as error:
            ordered.status, ordered.code, ordered.message = "refused", error.code, error.message
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not end the server
            ordered.status, ordered.code = "failed", Exit.FAILED
            ordered.message = redact(f"unexpected {type(error).__name__}: {error}")
        finally:
            ordered.ended = self.now()
            seconds = (ordered.ended - (ordered.started or ordered.at)).total_seconds()
            log(
                "run over", interface=ordered.interface, status=ordered.status, seconds=seconds, message=ordered.message
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
    from engine.report.run_json import render_event_json

    ordered.story.tell(render_event_json(event))


def _demand_quiet(future: Future[None]) -> None:
    error = future.exception()
    if error is not None:
        log("a run's thread has failed", error=repr(error))
