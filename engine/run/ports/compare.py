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
    keys of theirs that will be written by the time that this is. The rows and what is to be done about each go to the
    new file `target`."""

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
    """What to call for a box's rows: not what is among the keys in `done`, which have the id of what was answered, or
    nothing; `blocked` as in `CompareJob`."""

    step: Call
    target: Path
    done: Mapping[str, str]
    references: Mapping[str, Mapping[str, str]]
    pending: Mapping[str, frozenset[str]] = field(default_factory=dict)
    blocked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is to be written. `found` are objects (key → id) that rows mean and the step did not know yet."""

    writes: StepWrites
    found: Mapping[str, str]
    path: Path
    """The file with a row for each of the box's: see `Staging.keep_outcomes`."""


class Comparer(Protocol):
    """Compares what a box says with what is there."""

    def compare(self, job: CompareJob, result: BoxResult) -> Comparison:
        """What must be written so that the objects are as the rows say. `StoreError` E605 when that cannot be told."""
        ...

    def find(self, step: Export, staging: Path, keys: Sequence[str]) -> Mapping[str, str]:
        """By key, the objects of the mirror that rows with these keys would mean; keys without exactly one are left
        out."""
        ...

    def plan_calls(self, job: CallJob, result: BoxResult) -> Comparison:
        """What must be called for the rows."""
        ...

    def answers(self, step: Call, staging: Path, result: BoxResult, target: Path) -> BoxResult:
        """The objects of the mirror that calls have answered with, now or in an earlier run, each with the box's row
        that it was called for, in a new file at `target`. The outcomes must have been kept before."""
        ...
