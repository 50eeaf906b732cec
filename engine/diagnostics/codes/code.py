"""What a diagnostic code is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How serious a finding is: errors stop the item they are about, warnings and notes do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Code:
    """One row of the table of codes. A code is never reused and never changes its meaning.

    `title` is a short noun phrase. `page` is Markdown: what it means, an example that causes it, how to fix it.
    """

    id: str
    title: str
    page: str

    @property
    def severity(self) -> Severity:
        """`E…` is an error, `W…` a warning, `N…` a note."""
        return {"E": Severity.ERROR, "W": Severity.WARNING, "N": Severity.NOTE}[self.id[0]]
