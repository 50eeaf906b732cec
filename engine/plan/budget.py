"""What a plan means for the read budgets of its connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.graph import Extract

from .types import Plan

BUDGET_DAYS: Final = 30
"""A read budget is for so many days, today included."""


@dataclass(frozen=True, slots=True)
class ReadBudget:
    """A connection's budget, what of it is `used`, and what the plan would add; None: nothing is known of that yet.

    Where only some tables' requests are known, the estimate is their sum.
    """

    connection: str
    budget: int
    used: int
    estimate: int | None

    @property
    def is_passed(self) -> bool:
        """Whether a run of the plan would pass the budget, as far as that is known."""
        if self.estimate is None:
            return self.used >= self.budget
        return self.estimate > 0 and self.used + self.estimate > self.budget


def read_budgets(plan: Plan, used: Mapping[str, int]) -> tuple[ReadBudget, ...]:
    """The budgets of the plan's connections. `used` counts requests by connection."""
    found = []
    for settings in plan.connections:
        if settings.read_budget is None:
            continue
        estimates = [
            task.estimate.requests
            for task in plan.tasks
            if isinstance(task.step, Extract) and task.step.connection == settings.name
        ]
        beside = sum(each.estimate.requests or 0 for each in plan.beside if each.connection == settings.name)
        known = [number for number in estimates if number is not None]
        nothing_known = not any(known) and len(known) < len(estimates)
        estimate = None if nothing_known else sum(known) + beside
        found.append(ReadBudget(settings.name, settings.read_budget, used.get(settings.name, 0), estimate))
    return tuple(found)
