"""The result of a test case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.project import Case

Kind = Literal["missing", "surplus", "value", "failure"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference from the expectation. `subject` is a table, a step or the answer (`schema.payments`, `writes.push`,
    `respond`), or the run itself; `row` identifies the row, in words.

    `missing`: an expected row does not exist; `surplus`: an unexpected row exists; `value`: a row's `column` has
    another value; `failure`: the run did not end as expected.
    """

    subject: str
    kind: Kind
    row: str = ""
    column: str = ""
    expected: str = ""
    got: str = ""

    def __str__(self) -> str:
        of = f"{self.subject}: {self.row}" if self.row else self.subject
        match self.kind:
            case "missing":
                return f"{self.subject}: missing {self.row}"
            case "surplus":
                return f"{self.subject}: unexpected {self.row}"
            case "value":
                return f"{of}: {self.column}: expected {self.expected}, got {self.got}"
            case _:
                return f"{of}: {self.got}"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The result of a test case, which passed if there are no differences."""

    case: Case
    differences: tuple[Difference, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the run matches the expectation."""
        return not self.differences
