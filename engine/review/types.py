"""A review as data: what has changed, the gravest first, and what follows from it."""

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
    """How much a change asks of who reviews it."""

    ROUTINE = 0  # it only reads or computes
    RISK = 1  # something is reached, written or lost in another way
    EXPOSURE = 2  # more may be written at a provider than before


class Topic(StrEnum):
    """What a consequence is about."""

    EXPOSES = "exposes"
    WRITES = "writes"
    RISKS = "risks"
    READS = "reads"
    COSTS = "costs"


@dataclass(frozen=True, slots=True)
class Side:
    """A project at one of the two moments. `plan` is of all its interfaces; `rows` are what the mirrors hold by
    connection and table, `written` how many writes the last good run of a step has made, as far as that is known."""

    project: Project
    graph: Graph
    plan: Plan
    rows: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    written: Mapping[str, int] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    """Files with errors: what they define is not there, and not gone either."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A field that says something else: None where it said nothing, or says nothing now."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows from a change: a sentence in Markdown, without its full stop."""

    topic: Topic
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """A definition that is new, gone or another one. `place` is where it stands now, or stood."""

    kind: Kind
    name: str
    action: Literal["added", "removed", "changed"]
    place: Place
    weight: Weight
    edits: tuple[Edit, ...]
    consequences: tuple[Consequence, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """How many requests a run makes of a connection. `unknown` are tables of which no run has shown it yet."""

    requests: int = 0
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run asks of a connection, before and after. None: no run asks it for anything."""

    connection: str
    before: Asked | None
    after: Asked | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong after the change and was not before. `where` is file:line:column."""

    code: str
    severity: str
    where: str
    message: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class Review:
    """All of it. `base` is the commit that is compared with; `mended` counts findings that are gone."""

    base: str
    changes: tuple[Change, ...]
    costs: tuple[Cost, ...]
    findings: tuple[Finding, ...] = ()
    mended: int = 0

    @property
    def has_errors(self) -> bool:
        """Whether the change breaks something."""
        return any(finding.severity == "error" for finding in self.findings)
