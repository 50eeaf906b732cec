"""Read budgets: where they stand, and refusing what would pass one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Exit, RefusalError
from ..state import StatePaths, run_store, utc_now

if TYPE_CHECKING:
    from engine.plan import Plan, ReadBudget


def budgets_now(plan: Plan, paths: StatePaths) -> tuple[ReadBudget, ...]:
    """The budgets of the plan's connections, with what was read before. Makes no state where there is none."""
    from engine.plan import read_budgets
    from engine.run import first_day

    if all(settings.read_budget is None for settings in plan.connections):
        return ()
    if not paths.runs.exists():
        return read_budgets(plan, {})
    with run_store(paths) as store:
        return read_budgets(plan, store.reads_since(first_day(utc_now())))


def demand_budget(plan: Plan, paths: StatePaths) -> None:
    """RefusalError when a run of the plan would pass a read budget."""
    from engine.plan import BUDGET_DAYS
    from engine.run import BUDGET_HINT

    for budget in budgets_now(plan, paths):
        if budget.is_passed:
            estimate = "more" if budget.estimate is None else f"about {budget.estimate:,} more"
            raise RefusalError(
                Exit.APPROVAL,
                f"this would pass the read budget of `{budget.connection}`: {budget.used:,} of {budget.budget:,} "
                f"requests in {BUDGET_DAYS} days are used, and {estimate} would be made (E627)",
                BUDGET_HINT,
            )
