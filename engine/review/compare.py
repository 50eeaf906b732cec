"""Two states of a project, compared for who reviews the change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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


def compare(before: Side, after: Side, base: str) -> Review:
    """What has changed since the commit `base`: the gravest changes first, and of those connections."""
    risks = risks_of((before.project, before.graph), (after.project, after.graph))
    found = [
        *_connections(before, after),
        *_tables(before, after),
        *_interfaces(before, after),
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


def _connections(before: Side, after: Side) -> Iterator[Change]:
    old, new = before.project.connections, after.project.connections
    for name in sorted({*old, *new}):
        was, now = old.get(name), new.get(name)
        edits = edits_between(was.spec if was else None, now.spec if now else None)
        if edits:
            weight = Weight.EXPOSURE if connections.is_exposing(before, after, name) else Weight.ROUTINE
            yield _change("connection", was, now, edits, connections.consequences(before, after, name), weight)


def _interfaces(before: Side, after: Side) -> Iterator[Change]:
    old, new = before.project.interfaces, after.project.interfaces
    for name in sorted({*old, *new}):
        was, now = old.get(name), new.get(name)
        edits = (
            *edits_between(was.spec if was else None, now.spec if now else None),
            *interfaces.box_edits(was, now),
        )
        if edits:
            weight = Weight.EXPOSURE if interfaces.is_exposing(before, after, name) else Weight.ROUTINE
            yield _change("interface", was, now, edits, interfaces.consequences(before, after, name), weight)


def _tables(before: Side, after: Side) -> Iterator[Change]:
    old, new = before.project.tables, after.project.tables
    for name in sorted({*old, *new}):
        was, now = old.get(name), new.get(name)
        edits = edits_between(was.spec if was else None, now.spec if now else None)
        if edits:
            told = interfaces.table_consequences(after, name)
            yield _change("table", was, now, edits, told, Weight.ROUTINE)


def _settings(before: Side, after: Side) -> Iterator[Change]:
    edits = edits_between(before.project.settings, after.project.settings)
    if edits:
        yield Change("settings", "weir.yaml", "changed", Place("weir.yaml"), Weight.ROUTINE, edits, ())


def _change(
    kind: Kind,
    before: _Defined | None,
    after: _Defined | None,
    edits: tuple[Edit, ...],
    told: Iterable[Consequence],
    weight: Weight,
) -> Change:
    there = after if after is not None else before
    if there is None:
        raise AssertionError("a change is of something that is or was there")
    action: Literal["added", "removed", "changed"]
    action = "added" if before is None else "removed" if after is None else "changed"
    return Change(kind, there.name, action, there.place, weight, edits, tuple(dict.fromkeys(told)))
