"""A review as data: the changes, the most serious first, and their consequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Literal

from engine.diagnostics import Place
from engine.graph import Graph
from engine.plan import Plan
from engine.project import Project

Kind = Literal["connection", "interface", "table", "settings"]


class Weight(IntEnum):
    """How much attention a change needs from its reviewer."""

    ROUTINE = 0  # it only reads or computes
    RISK = 1  # it changes what is reached, written or lost
    EXPOSURE = 2  # it permits more writes to a provider


class Topic(StrEnum):
    """The subject of a consequence."""

    EXPOSES = "exposes"
    WRITES = "writes"
    RISKS = "risks"
    READS = "reads"
    COSTS = "costs"


@dataclass(frozen=True, slots=True)
class Side:
    """A project before or after the change. `plan` covers all its interfaces; `rows` are the row counts of the mirrors
    by connection and table, `written` the number of writes of each step's last successful run, where known."""

    project: Project
    graph: Graph
    plan: Plan
    rows: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    written: Mapping[str, int] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    """Files with errors: their definitions are missing here, but not removed."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A changed field; None where it is not set."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Consequence:
    """A consequence of a change: a sentence in Markdown, without its full stop."""

    topic: Topic
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """A definition that was added, removed or changed. `place` is its current or last place."""

    kind: Kind
    name: str
    action: Literal["added", "removed", "changed"]
    place: Place
    weight: Weight
    edits: tuple[Edit, ...]
    consequences: tuple[Consequence, ...]


@dataclass(frozen=True, slots=True)
class RequestEstimate:
    """The number of requests of a run to a connection. `unknown` are tables whose number is not known before a run."""

    requests: int = 0
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """The requests of a run to a connection, before and after. None: the connection is not read."""

    connection: str
    before: RequestEstimate | None
    after: RequestEstimate | None


@dataclass(frozen=True, slots=True)
class NewFinding:
    """A finding that the change introduces. `where` is file:line:column."""

    code: str
    severity: str
    where: str
    message: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class Review:
    """All changes since the commit `base`. `fixed` counts findings that the change removes."""

    base: str
    changes: tuple[Change, ...]
    costs: tuple[Cost, ...]
    findings: tuple[NewFinding, ...] = ()
    fixed: int = 0

    @property
    def has_errors(self) -> bool:
        """Whether the change introduces errors."""
        return any(finding.severity == "error" for finding in self.findings)
