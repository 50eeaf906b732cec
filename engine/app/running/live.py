"""Planning on data: all that a run would do but its writes, and the file that binds a run to what was planned."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.plan import (
    Plan,
    StepWrites,
    compare_plans,
    plan_from_json,
    plan_to_json,
    writes_from_json,
    writes_hash,
    writes_to_json,
)
from engine.run import EventSink, Run, RunRefusedError, execute_plan

from ..checking.check import Checked
from ..errors import Exit, RefusalError
from ..files import write_whole
from ..workspace import Workspace
from .plan import make_plan
from .world import RunOptions, opened_world

FORMAT = 1


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What was planned, and with what: the names and parameters that were given, the plan, and every write."""

    interfaces: tuple[str, ...]
    parameters: Mapping[str, str]
    plan: Plan
    writes: tuple[StepWrites, ...]

    @property
    def by_step(self) -> dict[str, StepWrites]:
        """The writes by step."""
        return {each.step: each for each in self.writes}


def plan_live(
    workspace: Workspace,
    interfaces: Sequence[str],
    parameters: Mapping[str, str],
    options: RunOptions,
    events: Callable[[Checked, Plan], EventSink],
) -> tuple[Plan, Run]:
    """Read what the interfaces need, run their boxes, and say what they would write, row by row.

    Mirrors are brought up to date; imports go into a copy of the Schema, so that exports after them see what they would
    see. Nothing is written to a provider or to the Schema. Raises as `run_project` does.
    """

    checked, plan = make_plan(workspace, interfaces, parameters)
    sink = events(checked, plan)
    dry = replace(options, only_plan=True, recorded=False)
    with opened_world(workspace, checked, plan, dry) as world:
        try:
            return plan, execute_plan(plan, world, sink)
        except RunRefusedError as error:
            raise RefusalError(Exit.BUSY, error.message, error.hint) from None


def saved_json(saved: SavedPlan) -> dict[str, Any]:
    """The plan as JSON values; it holds what is sent, and no secret."""

    return {
        "format": FORMAT,
        "interfaces": list(saved.interfaces),
        "parameters": dict(saved.parameters),
        "plan": plan_to_json(saved.plan),
        "writes": writes_to_json(saved.writes),
        "writes_hash": writes_hash(saved.writes),
    }


def save_live(saved: SavedPlan, path: Path) -> None:
    """Write the plan to a file, for `run --plan`."""
    write_whole(path, json.dumps(saved_json(saved), indent=2, ensure_ascii=False) + "\n")


def load_live(path: Path) -> SavedPlan:
    """The plan in a file. RefusalError (usage) when it is none, or was changed."""

    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RefusalError(Exit.USAGE, f"`{path}` cannot be read: {error}") from None
    try:
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise ValueError("`weir plan --live --out FILE` writes plans that can be run")
        writes = writes_from_json(document["writes"])
        if writes_hash(writes) != document["writes_hash"]:
            raise ValueError("its writes were changed after it was made")
        names, parameters = tuple(document["interfaces"]), dict(document["parameters"])
        return SavedPlan(names, parameters, plan_from_json(document["plan"]), writes)
    except (ValueError, KeyError, TypeError) as error:
        raise RefusalError(Exit.USAGE, f"`{path}` is no plan that can be run: {error}") from None


def demand_same(saved: SavedPlan, plan: Plan) -> None:
    """RefusalError (5) when the definitions mean something else than when the plan was made, saying what."""

    if saved.plan.hash == plan.hash:
        return
    named = []
    for each in compare_plans(saved.plan, plan):
        fields = [name for name in each.fields if name != "estimate"]  # that moves with the mirror
        if fields or each.action != "changed":
            named.append(f"{each.address} ({', '.join(fields) or each.action})")
    if saved.plan.connections != plan.connections:
        named.append("a connection")
    listed = "; ".join(named[:5]) + (f"; and {len(named) - 5} more" if len(named) > 5 else "")
    raise RefusalError(
        Exit.BUSY,
        f"the definitions have changed since the plan was made: {listed}",
        "plan again with `weir plan --live --out FILE`, and look at what has changed",
    )
