"""Writes to a provider, planned row by row: the requests, and the changes they make."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import msgspec

from engine.graph import Use

PENDING: Final = "\x01"
"""Prefix of an id that does not exist yet: it comes from another planned write."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that a write changes. `before` is None if it had no value, `after` if it will have none."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """One write. `target` is the verb's name ("customers.update"), `object` the id of the object to write.

    `key` are the row's match values, as a JSON list of texts; `row` is its number among the box's rows (None: the row
    no longer exists). `parameters` are sent, as (path, text); `changes` are their effect. A `replace` creates a new
    object and then applies `retire` (target, parameters) to the old one. Writes of one `lane` are sent in sequence.
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
        """The key in readable form."""
        return ", ".join(str(part) for part in json.loads(self.key))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that cannot be written, with the reason."""

    key: str
    row: int
    problem: str


@dataclass(frozen=True, slots=True)
class StepWrites:
    """The writes of one step. `refusals` is a sample of the refused rows, `refused` is their number."""

    step: str
    rows: int
    unchanged: int
    refused: int
    writes: tuple[PlannedWrite, ...]
    refusals: tuple[Refusal, ...] = ()
    managed: int = 0
    """Number of objects that the step manages: those of its rows."""

    def count(self, use: Use) -> int:
        """The number of writes with this use."""
        return sum(write.use == use for write in self.writes)


def writes_hash(steps: Sequence[StepWrites]) -> str:
    """SHA-256 over all writes: equal if the same changes are made to the same objects."""
    found = [
        [step.step, sorted(json.dumps(asdict(replace(w, row=None)), sort_keys=True) for w in step.writes)]
        for step in steps
    ]
    return hashlib.sha256(json.dumps(sorted(found)).encode()).hexdigest()


def writes_to_json(steps: Sequence[StepWrites]) -> list[dict[str, Any]]:
    """The writes as JSON values."""
    return [asdict(step) for step in steps]


def writes_from_json(found: Sequence[Mapping[str, Any]]) -> tuple[StepWrites, ...]:
    """The writes that `writes_to_json` wrote. ValueError for an invalid document."""
    try:
        return msgspec.convert(found, tuple[StepWrites, ...])
    except msgspec.ValidationError as error:
        raise ValueError(f"not a list of planned writes: {error}") from error


@dataclass(frozen=True, slots=True)
class WriteDifference:
    """A difference between the planned writes and the current ones. `what` is a sentence for people."""

    step: str
    what: str


def compare_writes(planned: StepWrites, now: StepWrites, limit: int = 20) -> tuple[WriteDifference, ...]:
    """The changes since the plan, field by field: empty if exactly the same would be written."""
    before = {(write.use, write.key, write.object): write for write in planned.writes}
    after = {(write.use, write.key, write.object): write for write in now.writes}
    found: list[str] = []
    for key, write in before.items():
        other = _with_pending(after.get(key), write)
        if other is None:
            found.append(f"{write.label}: the planned {write.use} is no longer needed, or changed")
        elif (write.parameters, write.changes) != (other.parameters, other.changes):
            found += _fields(write, other)
    found += [f"{write.label}: the {write.use} was not planned" for key, write in after.items() if key not in before]
    return tuple(WriteDifference(planned.step, what) for what in found[:limit])


def _with_pending(now: PlannedWrite | None, planned: PlannedWrite) -> PlannedWrite | None:
    """The write with placeholders as in the plan: ids that did not exist yet match any id."""
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
                f"{planned.label}: `{path}` changed at the provider from {_shown(old.before)} to {_shown(new.before)}"
            )
        elif old is not None and new is not None:
            found.append(
                f"{planned.label}: `{path}` was planned as {_shown(old.after)}, and is now {_shown(new.after)}"
            )
        elif new is not None:
            found.append(f"{planned.label}: `{path}` was not planned to change, and would become {_shown(new.after)}")
        elif old is not None:
            found.append(f"{planned.label}: `{path}` no longer changes")
    return found or [f"{planned.label}: the request changed"]


def _shown(value: str | None) -> str:
    return "empty" if value is None else json.dumps(value, ensure_ascii=False)
