"""The plan for programs."""

from __future__ import annotations

import json

from engine.plan import Plan, plan_to_json


def render_plan_json(plan: Plan) -> str:
    """One JSON document: the same definitions give the same text, hash included."""
    return json.dumps(plan_to_json(plan), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
