"""The graph of a project's steps, compiled from its definitions."""

from .compile import compile_project
from .literals import sql_identifier, sql_literal
from .passes.boxes import Boxes
from .types import (
    CHANGED_NAMESPACE,
    QUALIFIED,
    SCHEMA_NAMESPACE,
    WEIR_NAMESPACE,
    Action,
    Binder,
    BindFailure,
    Bound,
    Box,
    Extract,
    Graph,
    Import,
    MapColumn,
    Respond,
    Scope,
    Step,
    StopIf,
    TableRead,
)

__all__ = [
    "CHANGED_NAMESPACE",
    "QUALIFIED",
    "SCHEMA_NAMESPACE",
    "WEIR_NAMESPACE",
    "Action",
    "BindFailure",
    "Binder",
    "Bound",
    "Box",
    "Boxes",
    "Extract",
    "Graph",
    "Import",
    "MapColumn",
    "Respond",
    "Scope",
    "Step",
    "StopIf",
    "TableRead",
    "compile_project",
    "sql_identifier",
    "sql_literal",
]
