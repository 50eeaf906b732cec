"""The comparison of desired rows with the mirror. Implemented in `duck/exports/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from engine.graph import Call, Export
from engine.plan import StepWrites

from .boxes import BoxResult


@dataclass(frozen=True, slots=True)
class CompareJob:
    """What to compare a box's rows with: the mirror in the file `staging`, and the objects that the step has written
    before (`identities`: key → id). `references` are those of the steps that columns refer to, by step; `pending` are
    keys of theirs that are written earlier in the same run. The rows, each with the decision about it, go to the new
    file `target`."""

    step: Export
    staging: Path
    target: Path
    identities: Mapping[str, str]
    references: Mapping[str, Mapping[str, str]]
    pending: Mapping[str, frozenset[str]] = field(default_factory=dict)
    blocked: frozenset[str] = frozenset()
    """Keys of which an earlier write is not settled: their rows are refused."""


@dataclass(frozen=True, slots=True)
class CallJob:
    """What to call for a box's rows. The keys in `done`, each with the id of the object in the response or empty text,
    are not called again; `blocked` is as in `CompareJob`."""

    step: Call
    target: Path
    done: Mapping[str, str]
    references: Mapping[str, Mapping[str, str]]
    pending: Mapping[str, frozenset[str]] = field(default_factory=dict)
    blocked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The planned writes. `found` are objects (key → id) that rows match and the step did not know yet."""

    writes: StepWrites
    found: Mapping[str, str]
    path: Path
    """The file with a row for each of the box's: see `Staging.keep_outcomes`."""


class Comparer(Protocol):
    """Compares the rows of a box with the mirror."""

    def compare(self, job: CompareJob, result: BoxResult) -> Comparison:
        """The writes that make the objects equal to the rows. `StoreError` E605 if they cannot be compared."""
        ...

    def find(self, step: Export, staging: Path, keys: Sequence[str]) -> Mapping[str, str]:
        """By key, the objects of the mirror that rows with these keys match. Keys without exactly one object are
        absent."""
        ...

    def plan_calls(self, job: CallJob, result: BoxResult) -> Comparison:
        """The calls for the rows."""
        ...

    def answers(self, step: Call, staging: Path, result: BoxResult, target: Path) -> BoxResult:
        """The objects in the responses of calls of this run or an earlier one, as the mirror has them, each with the
        box's row of its call, in a new file at `target`. Requires that the outcomes are kept."""
        ...
