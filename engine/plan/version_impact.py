"""The effect of an upgraded API version on SQL boxes: which of them read a column that is removed or retyped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.connector import VersionMove
from engine.diagnostics import Diagnostic, Place
from engine.graph import Extract, Graph, Step

Moves = Mapping[str, Mapping[str, VersionMove]]
"""By connection and table."""


@dataclass(frozen=True, slots=True)
class AffectedQuery:
    """A step whose box reads columns that the upgrade changes. `file` and `line` are those of the box, or of its first
    new error.

    `reads` describes the columns. `errors` are the step's new errors: with any, the upgrade breaks it. `yields` are the
    box's own columns whose type changes.
    """

    connection: str
    interface: str
    step: str
    file: str
    line: int
    reads: tuple[str, ...]
    errors: tuple[str, ...]
    yields: tuple[str, ...]


def affected_queries(
    before: Graph, after: Graph, moves: Moves, errors: Sequence[Diagnostic], line: Callable[[Place], int]
) -> tuple[AffectedQuery, ...]:
    """The affected boxes, in the order of the graph. `before` is the project compiled with the columns of the mirrors,
    `after` with the current ones; `errors` are those that only the latter has. `line` is the line of a place."""
    now = {step.id: step for step in after.steps}
    found = []
    for step in before.steps:
        if isinstance(step, Extract):
            continue
        for connection, own in moves.items():
            reads = tuple(_reads(step, connection, own))
            if not reads:
                continue
            new = [each for each in errors if _is_of(each, step)]
            place = next((each.place for each in new if each.place is not None), step.box.place)
            found.append(
                AffectedQuery(
                    connection,
                    step.interface,
                    step.name,
                    place.file,
                    line(place),
                    reads,
                    tuple(f"{each.message} ({each.code})" for each in new),
                    tuple(_yields(step, now.get(step.id))),
                )
            )
    return tuple(found)


def _reads(step: Step, connection: str, moves: Mapping[str, VersionMove]) -> Iterator[str]:
    """Descriptions of the changed columns that the box reads."""
    if isinstance(step, Extract):
        return
    for read in step.box.bound.reads:
        move = moves.get(read.need.table)
        if read.namespace != connection or move is None:
            continue
        retyped = {name: f"from {old} to {new}" for name, old, new in move.retyped}
        known = dict.fromkeys(move.removed, "removed") | retyped
        table = read.need.table
        yield from (f"`{table}.{name}` ({known[name]})" for name in sorted({*read.need.columns} & known.keys()))


def _is_of(error: Diagnostic, step: Step) -> bool:
    """Whether the error is in the step, or in the file of its box."""
    if isinstance(step, Extract) or error.place is None:
        return False
    box, origin, place = step.box.place, step.origin, error.place
    in_box = place.file == box.file and (box.on == "text" or place.route[: len(box.route)] == box.route)
    return in_box or (place.file == origin.file and place.route[: len(origin.route)] == origin.route)


def _yields(before: Step, after: Step | None) -> Iterator[str]:
    if isinstance(before, Extract) or after is None or isinstance(after, Extract):
        return
    for column in before.box.bound.relation:
        now = after.box.bound.relation.find(column.name)
        if now is not None and now.type != column.type:
            yield f"`{column.name}` (from {column.type} to {now.type})"
