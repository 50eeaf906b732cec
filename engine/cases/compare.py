"""Compares the run of a test case with what it expects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.diagnostics import plural
from engine.plan import PENDING, PlannedWrite
from engine.project import Expected
from engine.run import GIVEN_ROWS, Outcome, Run
from engine.spec import ExpectedWriteSpec

from .rows import Row, compare_rows
from .types import Difference

Pair = tuple[Sequence[Row], Sequence[Row]]
"""Expected and actual rows, as comparable values."""


@dataclass(frozen=True, slots=True)
class Found:
    """The output of a run. `table` and `respond` return expected and actual rows. `keys` are by table."""

    run: Run
    keys: Mapping[str, Sequence[str]]
    table: Callable[[str], Pair]
    respond: Callable[[], Pair]


def compare(interface: str, expected: Expected, found: Found) -> tuple[Difference, ...]:
    """The differences between the run and the expectation. An unexpected failure is reported alone."""
    failure = list(_failures(expected, found.run))
    if failure:
        return tuple(failure)
    differences = list(_rejects(interface, expected, found.run))
    for table in expected.tables:
        differences += compare_rows(f"schema.{table}", *found.table(table), found.keys[table])
    made = {step.step: step.writes for step in found.run.writes}
    for step, writes in expected.writes.items():
        actual = [_planned(each) for each in made.get(f"{interface}.{step}", ())]
        wanted = [_expected(each) for each in writes]
        identities = min((sum(name in ("object", "key") for name in row) for row in wanted), default=0)
        differences += compare_rows(f"writes.{step}", wanted, actual, identities=identities)
    if expected.respond is not None:
        differences += compare_rows("respond", *found.respond())
    return tuple(differences)


def _failures(expected: Expected, run: Run) -> Iterator[Difference]:
    failed = [outcome for outcome in run.outcomes if outcome.status in ("failed", "stopped")]
    messages = [_message(outcome) for outcome in failed]
    if expected.fails is None:
        yield from (Difference("run", "failure", got=text) for text in messages)
    elif not any(expected.fails in text for text in messages):
        wanted = json.dumps(expected.fails, ensure_ascii=False)
        ended = "; ".join(messages) if messages else "it succeeded"
        yield Difference("run", "failure", expected=wanted, got=f"expected a failure with {wanted}, but {ended}")


def _message(outcome: Outcome) -> str:
    code = f"[{outcome.code}]" if outcome.code else ""
    return f"`{outcome.id}` failed{code}: {outcome.message or outcome.status}"


def _rejects(interface: str, expected: Expected, run: Run) -> Iterator[Difference]:
    """Steps whose number of rejected rows differs from the expected one, which is 0 by default."""
    problems = {step.step: step.refusals[0].problem for step in run.writes if step.refusals}
    steps = dict.fromkeys(expected.rejects)
    outcomes = {outcome.id: outcome for outcome in run.outcomes}
    for outcome in run.outcomes:
        if outcome.kind == GIVEN_ROWS and outcome.counts.get("rejected"):
            yield Difference("run", "failure", got=f"{outcome.title}: {_first_reject(outcome)}")
    steps |= dict.fromkeys(each.removeprefix(f"{interface}.") for each in outcomes if each.startswith(f"{interface}."))
    for step in steps:
        own = outcomes.get(f"{interface}.{step}")
        counts = own.counts if own is not None else {}
        number, wanted = counts.get("rejected", counts.get("refused", 0)), expected.rejects.get(step, 0)
        if number == wanted:
            continue
        why = problems.get(f"{interface}.{step}", "")
        if own is not None and own.rejects:
            why = _first_reject(own)
        because = f"; the first: {why}" if why else ""
        yield Difference(f"rejects.{step}", "value", "", "rows", str(wanted), f"{number}{because}")


def _first_reject(outcome: Outcome) -> str:
    if not outcome.rejects:
        return f"rejected {plural(outcome.counts['rejected'], 'row')}"
    first = outcome.rejects[0]
    key = ", ".join(f"{name} {value}" for name, value in first.key.items())
    return f"{f'({key}) ' if key else ''}`{first.column}`: {first.problem}"


def _planned(write: PlannedWrite) -> Row:
    key = tuple("" if part is None else str(part) for part in json.loads(write.key))
    sent = {f"set {path}": _id_to_be(text) for path, text in write.parameters}
    return {"do": write.use, "object": write.object, "key": list(key), **sent}


def _id_to_be(text: str) -> str:
    """The id of an object that does not exist yet, as a test case names it."""
    if not text.startswith(PENDING):
        return text
    step, _, key = text[len(PENDING) :].partition(" ")
    return f"({step}: {', '.join(str(part) for part in json.loads(key))})"


def _expected(write: ExpectedWriteSpec) -> Row:
    """The parts of a write that a test case names, those that identify it first."""
    named: dict[str, object] = {}
    if write.object_ is not None:
        named["object"] = write.object_
    if write.key is not None:
        named["key"] = list(write.key)
    if write.do is not None:
        named["do"] = write.do
    return {**named, **{f"set {path}": _sent(value) for path, value in write.set_.items()}}


def _sent(value: object) -> str:
    """A value in the form in which it is sent."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
