"""What came of a case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.project import Case

Kind = Literal["missing", "surplus", "value", "failure"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was expected. `subject` is a table, a step or the answer (`schema.payments`,
    `writes.push`, `respond`), or the run itself; `row` tells which row, in words.

    `missing`: an expected row is not there; `surplus`: a row is there that nobody expects; `value`: a row's `column`
    has another value; `failure`: the run ended in another way.
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
                return f"{self.subject}: surplus {self.row}"
            case "value":
                return f"{of}: {self.column}: expected {self.expected}, got {self.got}"
            case _:
                return f"{of}: {self.got}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a case: it has passed when nothing differs."""

    case: Case
    differences: tuple[Difference, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether all is as it was expected."""
        return not self.differences
