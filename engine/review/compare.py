"""Two states of a project, compared for who reviews the change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Literal

from engine.diagnostics import Place
from engine.project import Connection, Interface, Table

from . import connections, interfaces
from .costs import costs_of
from .fields import edits_between
from .risks import Risk, risks_of
from .types import Change, Consequence, Edit, Kind, Review, Side, Topic, Weight

_ORDER: Mapping[Kind, int] = {"connection": 0, "settings": 1, "table": 2, "interface": 3}
_Defined = Connection | Interface | Table
_Judgement = tuple[Weight, Iterable[Consequence]]


def compare(before: Side, after: Side, base: str) -> Review:
    """What has changed since the commit `base`: the gravest changes first, and of those connections."""
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
    # With a definition missing because it is wrong, a run would ask for less, and that would say nothing.
    costs = () if after.broken else costs_of(before, after)
    return Review(base, tuple(ordered), costs)


def _weighed(change: Change, risks: Iterable[Risk]) -> Change:
    """The change with what it puts at risk, as the rules of protected projects have it."""
    own = [risk.text for risk in risks if (risk.kind, risk.name) == (change.kind, change.name)]
    weight = max(change.weight, Weight.RISK) if own else change.weight
    # Of connections and interfaces the edits and consequences say the same, and more.
    told = tuple(Consequence(Topic.RISKS, text) for text in own) if change.kind == "table" else ()
    return replace(change, weight=weight, consequences=(*change.consequences, *told))


def _changes(
    kind: Kind, before: Mapping[str, _Defined], after: Mapping[str, _Defined], judged: Callable[[str], _Judgement]
) -> Iterator[Change]:
    """What has become of the definitions of a kind, with what is judged of each that has changed."""
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
    told: Iterable[Consequence],
) -> Change:
    there = after if after is not None else before
    if there is None:
        raise AssertionError("a change is of something that is or was there")
    action: Literal["added", "removed", "changed"]
    action = "added" if before is None else "removed" if after is None else "changed"
    return Change(kind, there.name, action, there.place, weight, edits, tuple(dict.fromkeys(told)))
