"""Compares two states of a project for a review."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Literal

from engine.diagnostics import Place
from engine.project import Connection, Interface, SchemaTable

from . import connections, interfaces
from .costs import costs_of
from .fields import edits_between
from .risks import Risk, risks_of
from .types import Change, Consequence, Edit, Kind, Review, Side, Topic, Weight

_ORDER: Mapping[Kind, int] = {"connection": 0, "settings": 1, "table": 2, "interface": 3}
_Defined = Connection | Interface | SchemaTable
_Judgement = tuple[Weight, Iterable[Consequence]]


def compare(before: Side, after: Side, base: str) -> Review:
    """The changes since the commit `base`, in order of weight, then of kind (connections first) and name."""
    risks = risks_of((before.project, before.graph), (after.project, after.graph))
    old, new = before.project, after.project
    found = [
        *_changes("connection", old.connections, new.connections, lambda name: _connection(before, after, name)),
        *_changes("table", old.tables, new.tables, lambda name: _table(after, name)),
        *_changes("interface", old.interfaces, new.interfaces, lambda name: _interface(before, after, name)),
        *_settings(before, after),
    ]
    unclear = {"added": before.broken, "removed": after.broken, "changed": frozenset[str]()}
    weighed = [_weighed(change, risks) for change in found if change.place.file not in unclear[change.action]]
    ordered = sorted(weighed, key=lambda change: (-change.weight, _ORDER[change.kind], change.name))
    # A broken definition is missing from the plan, so the costs would be too low to compare.
    costs = () if after.broken else costs_of(before, after)
    return Review(base, tuple(ordered), costs)


def _weighed(change: Change, risks: Iterable[Risk]) -> Change:
    """The change with its risks by the rules of protected projects."""
    own = [risk.text for risk in risks if (risk.kind, risk.name) == (change.kind, change.name)]
    weight = max(change.weight, Weight.RISK) if own else change.weight
    # For connections and interfaces, the edits and consequences already cover these risks.
    added = tuple(Consequence(Topic.RISKS, text) for text in own) if change.kind == "table" else ()
    return replace(change, weight=weight, consequences=(*change.consequences, *added))


def _changes(
    kind: Kind, before: Mapping[str, _Defined], after: Mapping[str, _Defined], judged: Callable[[str], _Judgement]
) -> Iterator[Change]:
    """The changed definitions of a kind, each with its weight and consequences."""
    for name in sorted({*before, *after}):
        was, now = before.get(name), after.get(name)
        edits = edits_between(was.spec if was else None, now.spec if now else None)
        if isinstance(was, Interface) and isinstance(now, Interface):
            edits += tuple(interfaces.box_edits(was, now))
        if edits:
            yield _change(kind, was, now, edits, *judged(name))


def _connection(before: Side, after: Side, name: str) -> _Judgement:
    is_exposing = connections.is_exposing(before, after, name)
    return _weight(is_exposing), connections.consequences(before, after, name)


def _interface(before: Side, after: Side, name: str) -> _Judgement:
    is_exposing = interfaces.is_exposing(before, after, name)
    return _weight(is_exposing), interfaces.consequences(before, after, name)


def _table(after: Side, name: str) -> _Judgement:
    return Weight.ROUTINE, interfaces.table_consequences(after, name)


def _weight(is_exposing: bool) -> Weight:
    return Weight.EXPOSURE if is_exposing else Weight.ROUTINE


def _settings(before: Side, after: Side) -> Iterator[Change]:
    edits = edits_between(before.project.settings, after.project.settings)
    if edits:
        yield Change("settings", "weir.yaml", "changed", Place("weir.yaml"), Weight.ROUTINE, edits, ())


def _change(
    kind: Kind,
    before: _Defined | None,
    after: _Defined | None,
    edits: tuple[Edit, ...],
    weight: Weight,
    consequences: Iterable[Consequence],
) -> Change:
    there = after if after is not None else before
    if there is None:
        raise AssertionError("a change has a definition before or after")
    action: Literal["added", "removed", "changed"]
    action = "added" if before is None else "removed" if after is None else "changed"
    return Change(kind, there.name, action, there.place, weight, edits, tuple(dict.fromkeys(consequences)))
