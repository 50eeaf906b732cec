"""What the definitions mean together."""

from .resolve import resolve_specs
from .types import BoxText, Connection, Interface, Project, ResolvedStep, Table

__all__ = ["BoxText", "Connection", "Interface", "Project", "ResolvedStep", "Table", "resolve_specs"]
