"""Plans to and from JSON, and their hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from engine.connector import Read
from engine.graph import Call, Export, Extract, Import, Respond, Step, StopIf

from .types import FORMAT_VERSION, Beside, ConnectionSettings, Estimate, Plan, Skipped, Task

_KINDS: Final[Mapping[str, type[Step]]] = {
    "extract": Extract,
    "import": Import,
    "stop_if": StopIf,
    "respond": Respond,
    "export": Export,
    "call": Call,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}
_PLACES: Final = frozenset({"place", "origin"})
"""Positions in files are part of the plan but not of its hash, so that moving a file does not change the plan."""


def step_kind(step: Step) -> str:
    """extract, import, stop_if, respond, export or call."""
    return _NAMES[type(step)]


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values. Contains references to secrets, never their values."""
    document: dict[str, Any] = _builtins(plan)
    for task, written in zip(plan.tasks, document["tasks"], strict=True):
        written["step"] = {"kind": step_kind(task.step), **written["step"]}
    return document


def plan_from_json(document: Mapping[str, Any]) -> Plan:
    """The plan that `plan_to_json` wrote. ValueError for an invalid document or a hash mismatch."""
    if document.get("format_version") != FORMAT_VERSION:
        raise ValueError(f"expected format_version {FORMAT_VERSION}")
    try:
        tasks = tuple(_task(written) for written in document["tasks"])
        plan = Plan(
            interfaces=msgspec.convert(document["interfaces"], tuple[str, ...]),
            connections=msgspec.convert(document["connections"], tuple[ConnectionSettings, ...]),
            tasks=tasks,
            skipped=msgspec.convert(document["skipped"], tuple[Skipped, ...]),
            hash=msgspec.convert(document["hash"], str),
            beside=msgspec.convert(document.get("beside", []), tuple[Beside, ...]),
        )
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise ValueError(f"not a plan: {error}") from error
    if plan_hash(plan) != plan.hash:
        raise ValueError("the plan was modified after it was written: its hash does not match")
    return plan


def _task(written: Mapping[str, Any]) -> Task:
    step = dict(written["step"])
    kind = _KINDS[step.pop("kind")]
    return Task(
        step=msgspec.convert(step, kind),
        action=msgspec.convert(written["action"], str),
        reason=msgspec.convert(written["reason"], str),
        estimate=msgspec.convert(written["estimate"], Estimate),
        needs=msgspec.convert(written["needs"], tuple[str, ...]),
        reads=msgspec.convert(written["reads"], tuple[Read, ...]),
        fresh=msgspec.convert(written["fresh"], str),
    )


def plan_hash(plan: Plan) -> str:
    """SHA-256 over what the plan does: without places, comments, order of files, the hash itself, and estimates, which
    depend on the content of staging."""
    document = plan_to_json(plan)
    del document["hash"], document["beside"]
    for task in document["tasks"]:
        del task["estimate"]
    text = json.dumps(_without_places(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def task_content(task: Task) -> dict[str, Any]:
    """A task as JSON values without places: equal for two tasks that do the same."""
    content: dict[str, Any] = _without_places(_builtins(task))
    return content


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_places(each) for key, each in value.items() if key not in _PLACES}
    if isinstance(value, list):
        return [_without_places(each) for each in value]
    return value


def _builtins(value: object) -> Any:
    """Dataclasses as dicts, tuples as lists, enums as their values."""
    return json.loads(msgspec.json.encode(value, enc_hook=_plain))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a plan cannot contain {type(value).__name__}")
