"""Plans: what a run would do now, without doing it."""

from typing import TYPE_CHECKING

from engine.faces import lazy

if TYPE_CHECKING:
    from .budget import BUDGET_DAYS, ReadBudget, read_budgets
    from .codec import plan_from_json, plan_hash, plan_to_json, step_kind
    from .diff import TaskChange, compare_plans
    from .estimates import Known, Mirrors, outlook
    from .explanations import EFFECTS
    from .plan import Totals, connection_of, connection_settings, plan_answer, plan_graph, plan_of_needs, totals
    from .select import report_unset, select_interfaces
    from .types import FORMAT_VERSION, Beside, ConnectionSettings, Estimate, Plan, Skipped, Task
    from .version_impact import AffectedQuery, affected_queries
    from .watermark import Watermark, parts_of, reason_for_all, reason_of_mirror
    from .writes import (
        PENDING,
        FieldChange,
        PlannedWrite,
        Refusal,
        StepWrites,
        WriteDifference,
        compare_writes,
        writes_from_json,
        writes_hash,
        writes_to_json,
    )
else:
    __getattr__ = lazy(
        __name__,
        {
            ".budget": "BUDGET_DAYS ReadBudget read_budgets",
            ".codec": "plan_from_json plan_hash plan_to_json step_kind",
            ".diff": "TaskChange compare_plans",
            ".estimates": "Known Mirrors outlook",
            ".explanations": "EFFECTS",
            ".plan": "Totals connection_of connection_settings plan_answer plan_graph plan_of_needs totals",
            ".select": "report_unset select_interfaces",
            ".types": "FORMAT_VERSION Beside ConnectionSettings Estimate Plan Skipped Task",
            ".version_impact": "AffectedQuery affected_queries",
            ".watermark": "Watermark parts_of reason_for_all reason_of_mirror",
            ".writes": (
                "PENDING FieldChange PlannedWrite Refusal StepWrites WriteDifference compare_writes "
                "writes_from_json writes_hash writes_to_json"
            ),
        },
    )

__all__ = [
    "BUDGET_DAYS",
    "EFFECTS",
    "FORMAT_VERSION",
    "PENDING",
    "AffectedQuery",
    "Beside",
    "ConnectionSettings",
    "Estimate",
    "FieldChange",
    "Known",
    "Mirrors",
    "Plan",
    "PlannedWrite",
    "ReadBudget",
    "Refusal",
    "Skipped",
    "StepWrites",
    "Task",
    "TaskChange",
    "Totals",
    "Watermark",
    "WriteDifference",
    "affected_queries",
    "compare_plans",
    "compare_writes",
    "connection_of",
    "connection_settings",
    "outlook",
    "parts_of",
    "plan_answer",
    "plan_from_json",
    "plan_graph",
    "plan_hash",
    "plan_of_needs",
    "plan_to_json",
    "read_budgets",
    "reason_for_all",
    "reason_of_mirror",
    "report_unset",
    "select_interfaces",
    "step_kind",
    "totals",
    "writes_from_json",
    "writes_hash",
    "writes_to_json",
]
