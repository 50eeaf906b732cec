"""The connector protocol: what a provider can give, what a box needs, secrets and failures."""

from typing import TYPE_CHECKING

from engine.faces import lazy

if TYPE_CHECKING:
    from .description import (
        ColumnDescription,
        TableDescription,
        TableSummary,
        WriteDescription,
        describe_source_table,
        summarise_source_table,
    )
    from .failure import ConnectorError, Failure, FailureKind
    from .mirror import (
        ACCOUNT,
        CHANGES,
        EVENT_GAP,
        Changes,
        Coverage,
        EventClaim,
        EventInterval,
        Gap,
        Gone,
        Identity,
        Mirror,
        MirrorInstant,
        OpenRows,
        Renewed,
        VersionMove,
    )
    from .mirror_tables import MIRROR_TABLES
    from .need import Need, Op, Predicate, Read, Request, Value
    from .protocol import CheckReport, Connector, Freshness, Pace, Probe, Verdict
    from .secret_policy import SecretPattern, SecretPolicy, names_secret
    from .secrets import Secret
    from .slice_report import SliceReport, SliceTotals, decode_slice, decode_totals, encode_slice, encode_totals
    from .source_table import SourceCatalogue, SourceTable, TimestampFormat
    from .system_columns import SYSTEM_COLUMNS
    from .target import (
        RETIREMENTS,
        SCALARS,
        Effect,
        Entity,
        Function,
        Parameter,
        ParameterKind,
        ParameterProblem,
        Shown,
        Targets,
        Verb,
        find_parameter,
        parameter_path,
    )
    from .window import (
        EVERYTHING,
        Window,
        by_lower_bound,
        group_touching,
        holes_between,
        merge_windows,
        window_of_predicate,
    )
    from .writing import (
        AnswerFile,
        SpooledAnswers,
        WriteCounts,
        WriteHooks,
        Writer,
        WriteRequest,
        WriteResult,
        WriteState,
    )
else:
    __getattr__ = lazy(
        __name__,
        {
            ".description": (
                "ColumnDescription TableDescription TableSummary WriteDescription describe_source_table "
                "summarise_source_table"
            ),
            ".failure": "ConnectorError Failure FailureKind",
            ".mirror": (
                "ACCOUNT CHANGES EVENT_GAP Changes Coverage EventClaim EventInterval Gap Gone Identity Mirror "
                "MirrorInstant OpenRows Renewed VersionMove"
            ),
            ".mirror_tables": "MIRROR_TABLES",
            ".need": "Need Op Predicate Read Request Value",
            ".protocol": "CheckReport Connector Freshness Pace Probe Verdict",
            ".secret_policy": "SecretPattern SecretPolicy names_secret",
            ".secrets": "Secret",
            ".slice_report": "SliceReport SliceTotals decode_slice decode_totals encode_slice encode_totals",
            ".source_table": "SourceCatalogue SourceTable TimestampFormat",
            ".system_columns": "SYSTEM_COLUMNS",
            ".target": (
                "RETIREMENTS SCALARS Effect Entity Function Parameter ParameterKind ParameterProblem Shown Targets "
                "Verb find_parameter parameter_path"
            ),
            ".window": (
                "EVERYTHING Window by_lower_bound group_touching holes_between merge_windows window_of_predicate"
            ),
            ".writing": "AnswerFile SpooledAnswers WriteCounts WriteHooks Writer WriteRequest WriteResult WriteState",
        },
    )

__all__ = [
    "ACCOUNT",
    "CHANGES",
    "EVENT_GAP",
    "EVERYTHING",
    "MIRROR_TABLES",
    "RETIREMENTS",
    "SCALARS",
    "SYSTEM_COLUMNS",
    "AnswerFile",
    "Changes",
    "CheckReport",
    "ColumnDescription",
    "Connector",
    "ConnectorError",
    "Coverage",
    "Effect",
    "Entity",
    "EventClaim",
    "EventInterval",
    "Failure",
    "FailureKind",
    "Freshness",
    "Function",
    "Gap",
    "Gone",
    "Identity",
    "Mirror",
    "MirrorInstant",
    "Need",
    "Op",
    "OpenRows",
    "Pace",
    "Parameter",
    "ParameterKind",
    "ParameterProblem",
    "Predicate",
    "Probe",
    "Read",
    "Renewed",
    "Request",
    "Secret",
    "SecretPattern",
    "SecretPolicy",
    "Shown",
    "SliceReport",
    "SliceTotals",
    "SourceCatalogue",
    "SourceTable",
    "SpooledAnswers",
    "TableDescription",
    "TableSummary",
    "Targets",
    "TimestampFormat",
    "Value",
    "Verb",
    "Verdict",
    "VersionMove",
    "Window",
    "WriteCounts",
    "WriteDescription",
    "WriteHooks",
    "WriteRequest",
    "WriteResult",
    "WriteState",
    "Writer",
    "by_lower_bound",
    "decode_slice",
    "decode_totals",
    "describe_source_table",
    "encode_slice",
    "encode_totals",
    "find_parameter",
    "group_touching",
    "holes_between",
    "merge_windows",
    "names_secret",
    "parameter_path",
    "summarise_source_table",
    "window_of_predicate",
]
