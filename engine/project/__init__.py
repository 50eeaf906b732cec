"""The definitions of a project, linked to each other."""

from typing import TYPE_CHECKING

from engine.faces import lazy

if TYPE_CHECKING:
    from .cases import Case, Expected, Rows, interface_of, resolve_cases
    from .resolve import resolve_specs
    from .types import BoxText, Connection, Interface, Project, ResolvedStep, SchemaTable
else:
    __getattr__ = lazy(
        __name__,
        {
            ".cases": "Case Expected Rows interface_of resolve_cases",
            ".resolve": "resolve_specs",
            ".types": "BoxText Connection Interface Project ResolvedStep SchemaTable",
        },
    )

__all__ = [
    "BoxText",
    "Case",
    "Connection",
    "Expected",
    "Interface",
    "Project",
    "ResolvedStep",
    "Rows",
    "SchemaTable",
    "interface_of",
    "resolve_cases",
    "resolve_specs",
]
