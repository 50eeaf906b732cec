"""Runs: a plan, executed."""

from typing import TYPE_CHECKING

from engine.faces import lazy

if TYPE_CHECKING:
    from engine.connector import Coverage

    from .budget import BUDGET_HINT, first_day
    from .environment import Exports, World
    from .events import Event, EventSink, RunEnded, RunStarted, TaskEnded, TaskProgressed, TaskStarted
    from .execute import execute_plan
    from .initial import GIVEN_ROWS
    from .leases import LEASE_PREFIX, take_lease
    from .outcome import Outcome, Run, RunRefusedError
    from .ports.boxes import BoxError, BoxLimits, BoxResult, BoxRunner
    from .ports.compare import CallJob, CompareJob, Comparer, Comparison
    from .ports.executor import (
        Executor,
        Json,
        Output,
        OutputFile,
        Partition,
        ReportSink,
        Stage,
        StageFunction,
        TaskContext,
        TaskResult,
    )
    from .ports.ledger import DOUBTFUL_STATES, OPEN_STATES, Op, OpEnd, OpState, WriteLedger
    from .ports.records import ConnectionReads, ReadLedger, RunRecord, RunStore, StepRecord
    from .ports.staging import Drift, LoadReport, RowOutcome, RowStatus, Staging
    from .ports.tables import ImportJob, ImportReport, InitialRows, KeptReject, Reject, StoreError, TableStore
    from .processes import describe_process, in_words, process_is_alive
    from .tasks.extract.optional import is_accepted
    from .tasks.respond import response_file
    from .writes import sent_again_until
else:
    __getattr__ = lazy(
        __name__,
        {
            "engine.connector": "Coverage",
            ".budget": "BUDGET_HINT first_day",
            ".environment": "Exports World",
            ".events": "Event EventSink RunEnded RunStarted TaskEnded TaskProgressed TaskStarted",
            ".execute": "execute_plan",
            ".initial": "GIVEN_ROWS",
            ".leases": "LEASE_PREFIX take_lease",
            ".outcome": "Outcome Run RunRefusedError",
            ".ports.boxes": "BoxError BoxLimits BoxResult BoxRunner",
            ".ports.compare": "CallJob CompareJob Comparer Comparison",
            ".ports.executor": (
                "Executor Json Output OutputFile Partition ReportSink Stage StageFunction TaskContext TaskResult"
            ),
            ".ports.ledger": "DOUBTFUL_STATES OPEN_STATES Op OpEnd OpState WriteLedger",
            ".ports.records": "ConnectionReads ReadLedger RunRecord RunStore StepRecord",
            ".ports.staging": "Drift LoadReport RowOutcome RowStatus Staging",
            ".ports.tables": "ImportJob ImportReport InitialRows KeptReject Reject StoreError TableStore",
            ".processes": "describe_process in_words process_is_alive",
            ".tasks.extract.optional": "is_accepted",
            ".tasks.respond": "response_file",
            ".writes": "sent_again_until",
        },
    )

__all__ = [
    "BUDGET_HINT",
    "DOUBTFUL_STATES",
    "GIVEN_ROWS",
    "LEASE_PREFIX",
    "OPEN_STATES",
    "BoxError",
    "BoxLimits",
    "BoxResult",
    "BoxRunner",
    "CallJob",
    "CompareJob",
    "Comparer",
    "Comparison",
    "ConnectionReads",
    "Coverage",
    "Drift",
    "Event",
    "EventSink",
    "Executor",
    "Exports",
    "ImportJob",
    "ImportReport",
    "InitialRows",
    "Json",
    "KeptReject",
    "LoadReport",
    "Op",
    "OpEnd",
    "OpState",
    "Outcome",
    "Output",
    "OutputFile",
    "Partition",
    "ReadLedger",
    "Reject",
    "ReportSink",
    "RowOutcome",
    "RowStatus",
    "Run",
    "RunEnded",
    "RunRecord",
    "RunRefusedError",
    "RunStarted",
    "RunStore",
    "Stage",
    "StageFunction",
    "Staging",
    "StepRecord",
    "StoreError",
    "TableStore",
    "TaskContext",
    "TaskEnded",
    "TaskProgressed",
    "TaskResult",
    "TaskStarted",
    "World",
    "WriteLedger",
    "describe_process",
    "execute_plan",
    "first_day",
    "in_words",
    "is_accepted",
    "process_is_alive",
    "response_file",
    "sent_again_until",
    "take_lease",
]
