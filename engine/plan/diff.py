"""The differences between two plans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .codec import task_content
from .types import Plan


@dataclass(frozen=True, slots=True)
class TaskChange:
    """A task that exists in only one of two plans, or differs in the named fields."""

    address: str
    action: Literal["added", "removed", "changed"]
    fields: tuple[str, ...] = ()


def compare_plans(before: Plan, after: Plan) -> tuple[TaskChange, ...]:
    """The changes from `before` to `after`, in order of address. Places are ignored."""
    old = {task.id: task_content(task) for task in before.tasks}
    new = {task.id: task_content(task) for task in after.tasks}
    changes: list[TaskChange] = []
    for address in sorted(old.keys() | new.keys()):
        if address not in old:
            changes.append(TaskChange(address, "added"))
        elif address not in new:
            changes.append(TaskChange(address, "removed"))
        elif fields := _differences(old[address], new[address]):
            changes.append(TaskChange(address, "changed", fields))
    return tuple(changes)


def _differences(old: dict[str, object], new: dict[str, object]) -> tuple[str, ...]:
    flat_old, flat_new = _flat(old), _flat(new)
    return tuple(sorted(key for key in flat_old.keys() | flat_new.keys() if flat_old.get(key) != flat_new.get(key)))


def _flat(content: dict[str, object]) -> dict[str, object]:
    """The task's fields, and those of its step as `step.action` and so on."""
    step = content["step"]
    inner = {f"step.{key}": value for key, value in step.items()} if isinstance(step, dict) else {}
    return {**{key: value for key, value in content.items() if key != "step"}, **inner}
