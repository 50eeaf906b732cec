"""The developer's loop: at every save, what is wrong now, what has become live, and what that changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine.plan import Plan, TaskChange, compare_plans, plan_graph
from engine.run import EventSink, Run
from engine.source import Files

from ..checking.check import Checked, Checker
from ..running.plan import plan_checked
from ..running.run import run_planned
from ..running.world import RunOptions
from ..state import utc_now
from ..workspace import Workspace
from .generation import Generation, GenerationStore
from .manifest import Manifest
from .reloader import Reload, Reloader
from .watcher import Pace, Watcher


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save came to. `changes` are the tasks that it changes, adds or removes."""

    reload: Reload
    changes: tuple[TaskChange, ...]


class Loop:
    """Watches a project until `stop` is set. Use as a context."""

    def __init__(self, workspace: Workspace, stop: threading.Event, pace: Pace | None = None) -> None:
        workspace.demand_project()
        self._workspace = workspace
        self._stop = stop
        self._checker = Checker(workspace, remembers=True)
        self._watcher = Watcher(workspace.root, stop, pace)
        kept = GenerationStore(workspace.paths.generations)
        self._reloader = Reloader(workspace, self._checker, kept, utc_now, workspace.settings.state)

    def __enter__(self) -> Loop:
        self._workspace.paths.prepare()
        self._reloader.recover()
        return self

    def __exit__(self, *_error: object) -> None:
        self._checker.close()

    def saves(self) -> Iterator[Saved]:
        """What is there now, and then what each save comes to."""
        seen = self._watcher.scan()
        yield self._offer(seen.files)
        for each in self._watcher.changes(Manifest.of(seen.files)):
            yield self._offer(each.files)

    def plan(self, interfaces: Sequence[str]) -> tuple[Checked, Plan]:
        """The plan of some interfaces of the live generation."""
        live = self._live()
        checked = self._checker.check(live.files, None, self._workspace.tracked(), interfaces)
        return checked, plan_checked(self._workspace, checked, interfaces)

    def run(
        self, interfaces: Sequence[str], options: RunOptions, events: Callable[[Checked, Plan], EventSink]
    ) -> tuple[Plan, Run]:
        """Run some interfaces of the live generation. Raises as `run_project` does."""
        checked, plan = self.plan(interfaces)
        return plan, run_planned(self._workspace, checked, plan, options, events(checked, plan))

    def _live(self) -> Generation:
        if self._reloader.live is None:
            raise AssertionError("there is no generation yet")
        return self._reloader.live

    def _offer(self, files: object) -> Saved:

        if not isinstance(files, Files):
            raise AssertionError("a scan gives files")
        before = self._reloader.live
        reload = self._reloader.offer(files)
        return Saved(reload, _changes(self._workspace, before, reload))


def _changes(workspace: Workspace, before: Generation | None, reload: Reload) -> tuple[TaskChange, ...]:
    """What has changed of the interfaces that were there before."""

    if before is None or not reload.is_new or reload.generation is None:
        return ()
    found: list[TaskChange] = []
    for name in reload.delta.changed:
        old, new = before.checked, reload.generation.checked
        plans = [plan_graph(each.graph, each.project, workspace.connectors, (name,)) for each in (old, new)]
        found += compare_plans(*plans)
    return tuple(found)
