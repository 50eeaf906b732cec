"""What the definitions mean together."""

from .cases import Case, Expected, Rows, interface_of, resolve_cases
from .resolve import resolve_specs
from .types import BoxText, Connection, Interface, Project, ResolvedStep, Table

__all__ = [
    "BoxText",
    "Case",
    "Connection",
    "Expected",
    "Interface",
    "Project",
    "ResolvedStep",
    "Rows",
    "Table",
    "interface_of",
    "resolve_cases",
    "resolve_specs",
]
