"""Tables that a run may skip: the connection lists them, and only a refusal of the provider is accepted."""

from __future__ import annotations

from collections.abc import Set
from typing import Final

from engine.connector import Failure, FailureKind

_REFUSALS: Final = frozenset({FailureKind.REQUEST, FailureKind.PERMISSION, FailureKind.MISSING})
"""What 400, 403 and 404 mean: another try of the same key would be refused again."""


def is_accepted(failure: Failure, table: str, optional: Set[str]) -> bool:
    """Whether the run continues although `table` was not read: it, or the parent that failed, is optional."""
    return failure.kind in _REFUSALS and (table in optional or failure.table in optional)


def without_table(table: str, failure: Failure) -> str:
    """The warning."""
    why = f"{failure.message}; {failure.hint}" if failure.hint else failure.message
    return f"`{table}` could not be read, and is optional: {why} (W602)"
