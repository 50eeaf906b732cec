"""The engine of `weir serve`: a watcher, a scheduler and runs, over one live generation."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from engine.app.checking.check import Checked, Checker
from engine.app.errors import Exit, RefusalError
from engine.app.logging import log, redact
from engine.app.reload.generation import Generation, GenerationStore
from engine.app.reload.manifest import Manifest
from engine.app.reload.reloader import Reload, Reloader
from engine.app.reload.watcher import Pace, Watcher
from engine.app.running.plan import plan_checked
from engine.app.state import utc_now
from engine.app.workspace import Workspace
from engine.diagnostics import CODES, Severity
from engine.graph import Extract
from engine.plan import Plan
from engine.report.findings.located import locate_all
from engine.run import describe_process, process_is_alive

from .claims import ClaimedTimes
from .input_rows import check_rows
from .runs import Order, Ordered, Runs, is_transient
from .scheduler import Scheduler, Start, feeders_of

_TICK: Final = 1.0
_LOOK_FOR_DEAD: Final = timedelta(seconds=10)
_AFTER_TROUBLE: Final = 5.0
"""Seconds after which what has failed unexpectedly is tried again."""

SCHEDULE: Final = "schedule"
"""Who has ordered a run that is due."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine works. `drain` are the seconds that runs get to end when it stops."""

    environment: Mapping[str, str]
    isolated: bool = True
    polling: bool = False
    schedules: bool = True
    parallel: int = 4
    drain: float = 30.0


@dataclass(frozen=True, slots=True)
class Given:
    """What a caller gives to a run: parameters as text, and rows that tables of the Schema begin with."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)


class Engine:
    """Use as a context: then it watches, schedules and runs until the context ends. For several threads."""

    def __init__(self, workspace: Workspace, options: EngineOptions, now: Callable[[], datetime] = utc_now) -> None:

        workspace.demand_project()
        self.workspace = workspace
        self.options = options
        self.now = now
        self.began = now()
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._drained = threading.Event()
        self._compiling = threading.Lock()
        self._checker = Checker(workspace, remembers=True)
        self._watcher = Watcher(workspace.root, self._stop, Pace(polling=options.polling))
        kept = GenerationStore(workspace.paths.generations)
        self._reloader = Reloader(workspace, self._checker, kept, now, workspace.settings.state)
        self.store = workspace.serving()
        self._times = ClaimedTimes(self.store, describe_process(self.began), now)
        self._scheduler = Scheduler(self._times, self.began)
        self._ended: deque[Ordered] = deque()
        self._starts: deque[Start] = deque()
        self._look_for_dead = self.began
        self.on_end: list[Callable[[Ordered], None]] = []
        self.runs = Runs(workspace, now, options.environment, options.isolated, options.parallel, on_end=self._note_end)
        self.last: Reload | None = None
        self.reloads = 0
        self._threads = [
            threading.Thread(target=self._watch, name="watch", daemon=True),
            threading.Thread(target=self._schedule, name="schedule", daemon=True),
        ]

    def __enter__(self) -> Engine:
        recovered = self._reloader.recover()
        if recovered is not None:
            self._adopt(recovered)
        self.reload()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.drain()
        for thread in self._threads:
            thread.join()
        self._checker.close()

    def drain(self) -> None:
        """Begin nothing more, and wait for the runs that go on, up to the deadline; then stop them between two commits.
        What has ended can still be looked at."""
        if self._drained.is_set():
            return
        log("server stops", drain=self.options.drain)
        self._stop.set()
        self._wake.set()
        self.runs.close(self.options.drain)
        self._drained.set()

    def stop_runs(self) -> None:
        """Have all runs stop between two commits."""
        for each in self.runs.going_on():
            self.runs.stop(each)

    @property
    def is_stopping(self) -> bool:
        """Whether no more runs begin."""
        return self._stop.is_set()

    @property
    def live(self) -> Generation | None:
        """The generation that new runs begin with; None while there was no good one."""
        return self._reloader.live

    def reload(self) -> Reload:
        """Look at the files now. What is right is live when this returns."""
        seen = self._watcher.scan()
        with self._compiling:
            return self._take(self._reloader.offer(seen.files))

    def order(self, interface: str, by: str, given: Given | None = None, run_id: str | None = None) -> Ordered:
        """Have an interface of the live generation run. RefusalError for one that there is not, that is inactive, that
        does not take what is given, or (OverlapError) that runs already and does not wait."""
        live, given = self.live, given or Given()
        if live is None or interface not in live.checked.project.interfaces:
            raise RefusalError(Exit.USAGE, f"no interface `{interface}` is live")
        spec = live.checked.project.interfaces[interface].spec
        if not spec.is_active:
            raise RefusalError(Exit.USAGE, f"`{interface}` is not active", "`is_active` of the interface says so")
        rows = check_rows(live.checked, interface, given.rows)
        if given.parameters:
            self._plan(live, (interface,), given.parameters)  # what is wrong with them is said now
        timeout = spec.timeout.total_seconds() if spec.timeout is not None else None
        waits = spec.concurrency.on_overlap == "wait"
        order = Order(interface, by, live.number, timeout, rows, run_id, waits)
        return self.runs.order(order, lambda: self._plan(live, (interface,), given.parameters))

    def plan(self, interfaces: Sequence[str], parameters: Mapping[str, str] | None = None) -> tuple[Checked, Plan]:
        """The plan of interfaces of the live generation. RefusalError when there is none, or for a wrong name."""
        live = self.live
        if live is None:
            raise RefusalError(Exit.DEFINITIONS, "there is no good version of the definitions yet")
        return self._plan(live, interfaces, parameters or {})

    def due_times(self) -> Mapping[str, datetime]:
        """When the live interfaces with a schedule are due."""
        live = self.live
        if live is None:
            return {}
        specs = {name: each.spec for name, each in live.checked.project.interfaces.items()}
        return {
            name: due
            for name, due in self.store.due().items()
            if name in specs and specs[name].is_active and specs[name].schedule is not None
        }

    def due_lags(self) -> Mapping[str, float]:
        """By interface, for how many seconds it has been due and was not started."""
        now = self.now()
        return {name: max(0.0, (now - due).total_seconds()) for name, due in self.due_times().items()}

    def _plan(
        self, generation: Generation, interfaces: Sequence[str], parameters: Mapping[str, str]
    ) -> tuple[Checked, Plan]:
        with self._compiling:
            tracked = self.workspace.tracked()
            checked = self._checker.check(generation.files, parameters, tracked, interfaces)
        wrong = next((each for each in checked.diagnostics if CODES[each.code].severity is Severity.ERROR), None)
        if wrong is not None:  # the generation has none: it is the parameters
            raise RefusalError(Exit.USAGE, f"{wrong.message} ({wrong.code})", wrong.hint)
        return checked, plan_checked(self.workspace, checked, interfaces)

    def _take(self, reload: Reload) -> Reload:
        before, self.last = self.last, reload
        if reload.is_new and reload.generation is not None:
            self.reloads += 1
            self._adopt(reload.generation)
            delta = reload.delta
            log(
                "generation is live",
                generation=reload.generation.number,
                added=delta.added,
                changed=delta.changed,
                removed=delta.removed,
                held=reload.generation.held,
            )
            self._wake.set()
        pending = reload.pending
        if pending is not None and (
            before is None or before.pending is None or before.pending.digest != pending.digest
        ):
            log("generation is pending", apply=f"weir apply {pending.digest[:12]}", risks=pending.risks)
        for setting in sorted({*reload.fixed} - {*(before.fixed if before is not None else ())}):
            log("setting waits for a restart", setting=setting)
        for found in locate_all(reload.fresh, reload.offered.tree):
            log("finding", code=found.code, message=found.message, where=found.where, hint=found.hint)
        for fixed in reload.cleared:
            log("finding is fixed", code=fixed.code, message=fixed.message)
        return reload

    def _adopt(self, generation: Generation) -> None:
        """Schedule what this generation says."""
        checked = generation.checked
        specs = {name: each.spec for name, each in checked.project.interfaces.items()}
        steps = [(s.id, s.interface, s.after) for s in checked.graph.steps if not isinstance(s, Extract)]
        self._scheduler.interfaces, self._scheduler.feeders = specs, feeders_of(steps)

    def _watch(self) -> None:
        while not self._stop.is_set():
            self._survive("watching", self._follow)

    def _follow(self) -> None:
        known = self._reloader.live
        manifest = Manifest.of(known.files) if known is not None else Manifest({}, frozenset())
        for seen in self._watcher.changes(manifest):
            with self._compiling:
                self._take(self._reloader.offer(seen.files))

    def _schedule(self) -> None:
        while not self._stop.is_set():
            self._survive("scheduling", self._look)

    def _look(self) -> None:
        self.runs.stop_late()
        self.runs.begin_waiting()
        if self._reloader.is_applied():
            self.reload()
        if self.options.schedules and self.live is not None:
            self._tick()
        due = self._scheduler.next_moment(self.now())
        wait = _TICK if due is None else max(0.0, min(_TICK, (due - self.now()) / timedelta(seconds=1)))
        self._wake.wait(wait)
        self._wake.clear()

    def _survive(self, what: str, work: Callable[[], None]) -> None:
        """Do it. Whatever goes wrong (the state is locked for long, the disk is full) is told and tried again later: a
        thread that has ended would let a server look well that does nothing any more."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - see above
            log(f"{what} failed", error=redact(f"{type(error).__name__}: {error}"), again_after=_AFTER_TROUBLE)
            self._stop.wait(_AFTER_TROUBLE)

    def _tick(self) -> None:
        while self._ended:
            self._take_end(self._ended.popleft())
        self._take_over()
        requested = frozenset(each.interface for each in self.runs.going_on() if each.by != SCHEDULE)
        starts, left = self._scheduler.tick(self.now(), requested)
        self._starts += starts
        for out in left:
            log("start left out", interface=out.interface, due=out.due.isoformat(), reason=out.reason)
            self._times.give_up(out.interface, out.due)
        while self._starts:
            start = self._starts.popleft()
            self._start(start, self._times.run_of(start.interface, start.due))

    def _take_end(self, ended: Ordered) -> None:
        again = self._scheduler.ended(ended.interface, self.now(), transient=is_transient(ended))
        if again is not None:
            log("run is tried again", interface=ended.interface, at=again.isoformat())
        else:
            self._times.settle(ended.id)

    def _take_over(self) -> None:
        """Carry out what servers that died have taken and not begun."""
        if self.now() < self._look_for_dead:
            return

        self._look_for_dead = self.now() + _LOOK_FOR_DEAD
        for claim in self._times.left_behind(process_is_alive):
            log("start taken over", interface=claim.interface, due=claim.due.isoformat(), run=claim.run)
            self._start(Start(claim.interface, claim.due), claim.run)

    def _start(self, start: Start, run_id: str | None) -> None:
        try:
            ordered = self.order(start.interface, SCHEDULE, run_id=run_id)
        except RefusalError as error:
            log("start refused", interface=start.interface, reason=error.message)
            if run_id is not None and not self.is_stopping:
                self._times.settle(run_id)
            self._scheduler.dropped(start)
            return
        log("start", interface=start.interface, due=start.due.isoformat(), attempt=start.attempt, run=ordered.id)
        self._scheduler.started(start)

    def _note_end(self, ordered: Ordered) -> None:
        if ordered.by == SCHEDULE:  # of others the scheduler learns nothing; without schedules nobody would take them
            self._ended.append(ordered)
        for listener in self.on_end:
            listener(ordered)
        self._wake.set()
