"""The read budgets of a plan's connections, and what the plan would use of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.graph import Extract

from .types import Plan

BUDGET_DAYS: Final = 30
"""The period of a read budget in days, including today."""


@dataclass(frozen=True, slots=True)
class ReadBudget:
    """A connection's budget, the requests already `used`, and those that the plan would add; None if unknown.

    If only the requests of some tables are known, the estimate is their sum.
    """

    connection: str
    budget: int
    used: int
    estimate: int | None

    @property
    def is_exceeded(self) -> bool:
        """Whether a run of the plan would exceed the budget, as far as known."""
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
