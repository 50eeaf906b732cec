"""Writes to a provider, planned row by row: what will be sent, and what that changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

import msgspec

Use = Literal["create", "update", "replace", "retire", "call"]
USES: Final[tuple[Use, ...]] = ("create", "update", "replace", "retire", "call")

PENDING: Final = "\x01"
"""What an id that is not there yet begins with: it comes from a write that is planned as well."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What a write changes: `before` is None where there was nothing, `after` where nothing will be."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """One write. `target` is the verb's name ("customers.update"), `object` the id that it acts on.

    `key` is what the row is matched by, as a JSON list of texts; `row` its number among the box's rows (None: the row
    is gone). `parameters` are sent, as (path, text); `changes` say what that means. A `replace` makes a new object and
    then does `retire` (target, parameters) to the old one. `lane`: writes of one lane go one after the other.
    """

    use: Use
    target: str
    key: str
    row: int | None
    object: str | None
    parameters: tuple[tuple[str, str], ...]
    changes: tuple[FieldChange, ...] = ()
    lane: str | None = None
    retire: tuple[str, tuple[tuple[str, str], ...]] | None = None

    @property
    def label(self) -> str:
        """The key for people."""
        return ", ".join(str(part) for part in json.loads(self.key))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that cannot be written, and why."""

    key: str
    row: int
    problem: str


@dataclass(frozen=True, slots=True)
class StepWrites:
    """What one step will write: at most so many `refusals` are listed, `refused` counts them all."""

    step: str
    rows: int
    unchanged: int
    refused: int
    writes: tuple[PlannedWrite, ...]
    refusals: tuple[Refusal, ...] = ()
    managed: int = 0
    """How many objects the step takes care of: those of its rows."""

    def count(self, use: Use) -> int:
        """How many writes are of this use."""
        return sum(write.use == use for write in self.writes)


def writes_hash(steps: Sequence[StepWrites]) -> str:
    """SHA-256 over all writes: equal when the same will be done to the same objects."""
    found = [
        [step.step, sorted(json.dumps(asdict(replace(w, row=None)), sort_keys=True) for w in step.writes)]
        for step in steps
    ]
    return hashlib.sha256(json.dumps(sorted(found)).encode()).hexdigest()


def writes_to_json(steps: Sequence[StepWrites]) -> list[dict[str, Any]]:
    """The writes as JSON values."""
    return [asdict(step) for step in steps]


def writes_from_json(found: Sequence[Mapping[str, Any]]) -> tuple[StepWrites, ...]:
    """What `writes_to_json` wrote. ValueError says what is wrong."""
    try:
        return msgspec.convert(found, tuple[StepWrites, ...])
    except msgspec.ValidationError as error:
        raise ValueError(f"these are no planned writes: {error}") from error


@dataclass(frozen=True, slots=True)
class WriteDifference:
    """Where what would be written now is not what was planned. `what` is a sentence for people."""

    step: str
    what: str


def compare_writes(planned: StepWrites, now: StepWrites, limit: int = 20) -> tuple[WriteDifference, ...]:
    """What has changed since the plan, field by field: nothing when exactly the same would be written."""
    before = {(write.use, write.key, write.object): write for write in planned.writes}
    after = {(write.use, write.key, write.object): write for write in now.writes}
    found: list[str] = []
    for key, write in before.items():
        other = _with_pending(after.get(key), write)
        if other is None:
            found.append(f"{write.label}: {write.use} was planned and is not needed any more, or is another one now")
        elif (write.parameters, write.changes) != (other.parameters, other.changes):
            found += _fields(write, other)
    found += [f"{write.label}: {write.use} was not planned" for key, write in after.items() if key not in before]
    return tuple(WriteDifference(planned.step, what) for what in found[:limit])


def _with_pending(now: PlannedWrite | None, planned: PlannedWrite) -> PlannedWrite | None:
    """The write as it would be planned: ids that were not there yet are whatever they have become."""
    open_paths = {path: text for path, text in planned.parameters if text.startswith(PENDING)}
    if now is None or not open_paths:
        return now
    parameters = tuple((path, open_paths.get(path, text)) for path, text in now.parameters)
    changes = tuple(replace(each, after=open_paths.get(each.path, each.after)) for each in now.changes)
    return replace(now, parameters=parameters, changes=changes)


def _fields(planned: PlannedWrite, now: PlannedWrite) -> list[str]:
    before = {change.path: change for change in planned.changes}
    after = {change.path: change for change in now.changes}
    found = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old == new:
            continue
        if old is not None and new is not None and old.before != new.before:
            found.append(
                f"{planned.label}: `{path}` was {_shown(old.before)} at the provider, and is {_shown(new.before)}"
            )
        elif old is not None and new is not None:
            found.append(f"{planned.label}: `{path}` was to become {_shown(old.after)}, and now {_shown(new.after)}")
        elif new is not None:
            found.append(f"{planned.label}: `{path}` was to stay, and would become {_shown(new.after)}")
        elif old is not None:
            found.append(f"{planned.label}: `{path}` would not be changed any more")
    return found or [f"{planned.label}: the request would be another one"]


def _shown(value: str | None) -> str:
    return "empty" if value is None else json.dumps(value, ensure_ascii=False)
