"""The engine of `weir serve`: a watcher, a scheduler and runs, over one live generation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.app.check import demand_project
from engine.app.checker import Checker
from engine.app.errors import Exit, RefusalError
from engine.app.logging import log
from engine.app.plan import plan_checked, tracked_values
from engine.app.reload.generation import Generation, GenerationStore
from engine.app.reload.manifest import Manifest
from engine.app.reload.reloader import Reload, Reloader
from engine.app.reload.watcher import Pace, Watcher
from engine.app.state import state_paths, utc_now
from engine.graph import Extract

from .runs import Ordered, Runs, is_transient
from .scheduler import Scheduler, Start, feeders_of

if TYPE_CHECKING:
    from engine.app.check import Checked
    from engine.plan import Plan
    from engine.stores import SqlServingStore

_TICK: Final = 1.0


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine works. `drain` are the seconds that runs get to end when it stops."""

    environment: Mapping[str, str]
    isolated: bool = True
    polling: bool = False
    schedules: bool = True
    parallel: int = 4
    drain: float = 30.0


class Engine:
    """Use as a context: then it watches, schedules and runs until the context ends. For several threads."""

    def __init__(self, root: Path, options: EngineOptions, now: Callable[[], datetime] = utc_now) -> None:
        demand_project(root)
        self.root = root
        self.options = options
        self.now = now
        self.paths = state_paths(root)
        self.paths.prepare()
        self.began = now()
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._compiling = threading.Lock()
        self._checker = Checker()
        self._watcher = Watcher(root, self._stop, Pace(polling=options.polling))
        self._reloader = Reloader(root, self._checker, GenerationStore(self.paths.generations), now)
        self.store: SqlServingStore = self._open_store()
        self._scheduler = Scheduler(self.store, self.began)
        self._ended: list[Ordered] = []
        self.runs = Runs(now, options.environment, options.isolated, options.parallel, on_end=self._note_end)
        self.last: Reload | None = None
        self.reloads = 0
        self._threads = [
            threading.Thread(target=self._watch, name="watch", daemon=True),
            threading.Thread(target=self._schedule, name="schedule", daemon=True),
        ]

    def __enter__(self) -> Engine:
        self._reloader.recover()
        self.reload()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        log("server stops", drain=self.options.drain)
        self._stop.set()
        self._wake.set()
        self.runs.close(self.options.drain)
        for thread in self._threads:
            thread.join()
        self._checker.__exit__(None, None, None)
        self.store.close()

    @property
    def live(self) -> Generation | None:
        """The generation that new runs begin with; None while there was no good one."""
        return self._reloader.live

    def reload(self) -> Reload:
        """Look at the files now. What is right is live when this returns."""
        seen = self._watcher.scan()
        with self._compiling:
            return self._take(self._reloader.offer(seen.files))

    def order(self, interface: str, by: str, parameters: Mapping[str, str] | None = None) -> Ordered:
        """Have an interface of the live generation run. RefusalError for one that there is not, or that cannot run."""
        live = self.live
        if live is None or interface not in live.checked.project.interfaces:
            raise RefusalError(Exit.USAGE, f"no interface `{interface}` is live")
        spec = live.checked.project.interfaces[interface].spec
        timeout = spec.timeout.total_seconds() if spec.timeout is not None else None
        given = dict(parameters or {})
        return self.runs.order(interface, by, live.number, lambda: self._plan(live, (interface,), given), timeout)

    def plan(self, interfaces: Sequence[str], parameters: Mapping[str, str] | None = None) -> tuple[Checked, Plan]:
        """The plan of interfaces of the live generation. RefusalError when there is none, or for a wrong name."""
        live = self.live
        if live is None:
            raise RefusalError(Exit.DEFINITIONS, "there is no good version of the definitions yet")
        return self._plan(live, interfaces, parameters or {})

    def _plan(
        self, generation: Generation, interfaces: Sequence[str], parameters: Mapping[str, str]
    ) -> tuple[Checked, Plan]:
        with self._compiling:
            tracked = tracked_values(self.paths)
            checked = self._checker.check(self.root, generation.files, parameters, tracked, interfaces)
        return checked, plan_checked(checked, interfaces, self.paths)

    def _take(self, reload: Reload) -> Reload:
        self.last = reload
        if reload.is_new and reload.generation is not None:
            self.reloads += 1
            checked = reload.generation.checked
            specs = {name: each.spec for name, each in checked.project.interfaces.items()}
            steps = [(s.id, s.interface, s.after) for s in checked.graph.steps if not isinstance(s, Extract)]
            self._scheduler.interfaces, self._scheduler.feeders = specs, feeders_of(steps)
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
        for found in reload.fresh:
            log("finding", code=found.code, message=found.message, place=str(found.place), hint=found.hint)
        return reload

    def _watch(self) -> None:
        known = self._reloader.live
        manifest = Manifest.of(known.files) if known is not None else Manifest({}, frozenset())
        for seen in self._watcher.changes(manifest):
            with self._compiling:
                self._take(self._reloader.offer(seen.files))

    def _schedule(self) -> None:
        while not self._stop.is_set():
            self.runs.stop_late()
            if self.options.schedules and self.live is not None:
                self._tick()
            due = self._scheduler.next_moment(self.now())
            wait = _TICK if due is None else max(0.0, min(_TICK, (due - self.now()) / timedelta(seconds=1)))
            self._wake.wait(wait)
            self._wake.clear()

    def _tick(self) -> None:
        ended, self._ended = self._ended, []
        for each in ended:
            if each.by == "schedule":
                again = self._scheduler.ended(each.interface, self.now(), transient=is_transient(each))
                if again is not None:
                    log("run is tried again", interface=each.interface, at=again.isoformat())
        starts, left = self._scheduler.tick(self.now())
        for out in left:
            log("start left out", interface=out.interface, due=out.due.isoformat(), reason=out.reason)
        for start in starts:
            self._start(start)

    def _start(self, start: Start) -> None:
        try:
            self.order(start.interface, "schedule")
        except RefusalError as error:
            log("start refused", interface=start.interface, reason=error.message)
            return
        self._scheduler.started(start)

    def _note_end(self, ordered: Ordered) -> None:
        self._ended.append(ordered)
        self._wake.set()

    def _open_store(self) -> SqlServingStore:
        from engine.run import StoreError
        from engine.stores import open_serving_store

        try:
            return open_serving_store(self.paths.runs)
        except StoreError as error:
            raise RefusalError(Exit.ENVIRONMENT, error.message, error.hint) from None
