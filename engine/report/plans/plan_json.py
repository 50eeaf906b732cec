"""The plan as JSON, for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from engine.plan import AffectedQuery, Plan, ReadBudget, plan_to_json


def render_plan_json(plan: Plan, budgets: Sequence[ReadBudget] = (), affected: Sequence[AffectedQuery] = ()) -> str:
    """One JSON document, deterministic for the same definitions, including the hash. `budgets` and `affected_queries`
    (the effect of an upgraded API version on SQL boxes) are omitted if empty."""
    document = plan_to_json(plan)
    if budgets:
        document["budgets"] = [{**asdict(budget), "is_exceeded": budget.is_exceeded} for budget in budgets]
    if affected:
        document["affected_queries"] = [asdict(query) for query in affected]
    return _text(document)


def render_affected_json(affected: Sequence[AffectedQuery]) -> str:
    """Only the affected queries, for an upgrade that breaks some of them so that there is no plan."""
    return _text({"affected_queries": [asdict(query) for query in affected]})


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
