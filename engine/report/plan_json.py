"""The plan for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from engine.plan import Plan, ReadBudget, plan_to_json


def render_plan_json(plan: Plan, budgets: Sequence[ReadBudget] = ()) -> str:
    """One JSON document: the same definitions give the same text, hash included. `budgets` are left out if empty."""
    document = plan_to_json(plan)
    if budgets:
        document["budgets"] = [{**asdict(budget), "is_passed": budget.is_passed} for budget in budgets]
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
