"""The graph of a project's steps, compiled from its definitions."""

from typing import TYPE_CHECKING

from engine.faces import lazy

if TYPE_CHECKING:
    from .bind_cache import BindMemory
    from .box_compiler import Boxes
    from .compile import compile_project
    from .literals import sql_identifier, sql_literal
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
        Call,
        Caps,
        EntityFacts,
        Export,
        ExportAction,
        Extract,
        Graph,
        Import,
        MapColumn,
        MatchColumn,
        Respond,
        Scope,
        Step,
        StopIf,
        TableRead,
        Use,
        WriteColumn,
    )
else:
    __getattr__ = lazy(
        __name__,
        {
            ".bind_cache": "BindMemory",
            ".box_compiler": "Boxes",
            ".compile": "compile_project",
            ".literals": "sql_identifier sql_literal",
            ".types": (
                "CHANGED_NAMESPACE QUALIFIED SCHEMA_NAMESPACE WEIR_NAMESPACE Action Binder BindFailure Bound Box "
                "Call Caps EntityFacts Export ExportAction Extract Graph Import MapColumn MatchColumn Respond Scope "
                "Step StopIf TableRead Use WriteColumn"
            ),
        },
    )

__all__ = [
    "CHANGED_NAMESPACE",
    "QUALIFIED",
    "SCHEMA_NAMESPACE",
    "WEIR_NAMESPACE",
    "Action",
    "BindFailure",
    "BindMemory",
    "Binder",
    "Bound",
    "Box",
    "Boxes",
    "Call",
    "Caps",
    "EntityFacts",
    "Export",
    "ExportAction",
    "Extract",
    "Graph",
    "Import",
    "MapColumn",
    "MatchColumn",
    "Respond",
    "Scope",
    "Step",
    "StopIf",
    "TableRead",
    "Use",
    "WriteColumn",
    "compile_project",
    "sql_identifier",
    "sql_literal",
]
