"""The plan for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from engine.plan import MovedBox, Plan, ReadBudget, plan_to_json


def render_plan_json(plan: Plan, budgets: Sequence[ReadBudget] = (), moved: Sequence[MovedBox] = ()) -> str:
    """One JSON document: the same definitions give the same text, hash included. `budgets`, and `moved_boxes` (what a
    moved API version means for SQL boxes), are left out if empty."""
    document = plan_to_json(plan)
    if budgets:
        document["budgets"] = [{**asdict(budget), "is_passed": budget.is_passed} for budget in budgets]
    if moved:
        document["moved_boxes"] = [asdict(box) for box in moved]
    return _text(document)


def render_moved_json(moved: Sequence[MovedBox]) -> str:
    """The boxes alone, where what they break leaves no plan."""
    return _text({"moved_boxes": [asdict(box) for box in moved]})


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
