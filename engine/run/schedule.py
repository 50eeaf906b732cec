"""Which task may begin, which is left out and why: the rules of a run, without threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.graph import Call, Export, Extract, Import, Step
from engine.plan import Plan, Task

from .outcome import Outcome


@dataclass(frozen=True, slots=True)
class Unit:
    """Tasks that are done together: the extracts of one connection, or a single other task."""

    id: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Skip:
    """A task that is left out. `blocks`: what needs it is left out too."""

    task: Task
    reason: str
    blocks: bool


def interface_of(step: Step) -> str | None:
    """The interface of a step; an extract belongs to none."""
    return None if isinstance(step, Extract) else step.interface


class Schedule:
    """Keeps what has ended and says what comes next. Not for several threads at once.

    A failed task blocks what needs it, unless its `on_error` is `continue`. An interface that ended on purpose
    (`stop_if`, `on_empty: stop`) leaves out the rest of itself and blocks no other interface.
    """

    def __init__(self, plan: Plan) -> None:
        self._units = list(_units(plan))
        self._tasks = {task.id: task for task in plan.tasks}
        self._blocking: dict[str, str] = {}
        self._over: dict[str, str] = {}
        self._done: set[str] = set()

    @property
    def is_over(self) -> bool:
        """Whether no unit is left to begin."""
        return not self._units

    def take(self) -> tuple[list[Unit], list[Skip]]:
        """The units that may begin now, and the tasks that are left out. Each is given once."""
        ready: list[Unit] = []
        skips: list[Skip] = []
        moved = True
        while moved:
            moved = False
            for unit in list(self._units):
                waits = {need for task in unit.tasks for need in task.needs if need in self._tasks} - self._done
                waits -= {task.id for task in unit.tasks}
                if waits:
                    continue
                self._units.remove(unit)
                skip = self._skip(unit.tasks[0])
                if skip is None:
                    ready.append(unit)
                    continue
                skips.append(skip)
                self._note_skip(skip)
                moved = True
        return ready, skips

    def take_rest(self) -> list[Task]:
        """All tasks that have not begun: the run is being stopped."""
        rest = [task for unit in self._units for task in unit.tasks]
        self._units.clear()
        return rest

    def end(self, outcome: Outcome) -> None:
        """Take note of how a task ended."""
        self._done.add(outcome.id)
        task = self._tasks[outcome.id]
        if outcome.status == "succeeded":
            if outcome.ends_interface and outcome.interface is not None:
                self._over[outcome.interface] = outcome.id
        elif not _goes_on(task.step):
            self._blocking[outcome.id] = outcome.status

    def _note_skip(self, skip: Skip) -> None:
        self._done.add(skip.task.id)
        if skip.blocks:
            self._blocking[skip.task.id] = "skipped"

    def _skip(self, task: Task) -> Skip | None:
        interface = interface_of(task.step)
        if interface is not None and interface in self._over:
            return Skip(task, f"the interface ended at `{self._over[interface]}`", blocks=False)
        for need in task.needs:
            why = self._blocking.get(need)
            if why is not None:
                data = isinstance(self._tasks[need].step, Extract)
                reason = f"`{need}` failed" if why == "failed" else f"`{need}` was {why}"
                return Skip(task, reason, blocks=not (data and _goes_on(task.step)))
        return None


def _goes_on(step: Step) -> bool:
    return isinstance(step, Import | Export | Call) and step.on_error == "continue"


def _units(plan: Plan) -> Sequence[Unit]:
    extracts: dict[str, list[Task]] = {}
    units: list[Unit] = []
    for task in plan.tasks:
        if isinstance(task.step, Extract):
            extracts.setdefault(task.step.connection, []).append(task)
        else:
            units.append(Unit(task.id, (task,)))
    return [*(Unit(f"extract {name}", tuple(tasks)) for name, tasks in extracts.items()), *units]
