"""Which part of a list the mirror has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.connector import Coverage, Mirror

from ..catalogue import Table, load_catalogue
from ..planning.read_options import ReadOptions, Variant
from .sync_rules import emits_events

Hole = tuple[int | None, int | None]
"""A window `[gte, lt)` of creation times in Unix seconds (None: no bound) that the mirror lacks."""


@dataclass(frozen=True, slots=True)
class Part:
    """What the mirror has of a variant: all but the `holes`, in order. The last one may have no upper bound: what was
    created since. `as_of` and `read_at` are those of the oldest piece."""

    holes: tuple[Hole, ...]
    as_of: datetime
    read_at: datetime | None


def live_coverage(mirror: Mirror, table: Table, current_since: datetime | None) -> list[Coverage]:
    """The coverage of a table that is of the API version of now, and was kept current if its changes emit events (or
    those of its parent do)."""
    version = load_catalogue().api_version
    followed = emits_events(table) or bool(table.parents)
    return [
        each
        for each in mirror.coverage
        if each.table == table.name
        and each.complete
        and each.api_version == version
        and len(each.where) == 1
        and (not followed or (current_since is not None and each.as_of >= current_since))
    ]


def as_where(coverage: Coverage) -> list[list[object]]:
    """The filter of a coverage as read options write it."""
    return [[each.column, each.op.value, list(each.values)] for each in coverage.where[0]]


def covered_part(live: Sequence[Coverage], variant: Variant, options: ReadOptions) -> Part | None:
    """What `live` has of the variant; None when that is nothing."""
    asked = {(column, op, tuple(values)) for column, op, values in variant["where"]}
    expanded = set(options["expanded"])
    pieces = [
        each
        for each in live
        if {(p.column, p.op.value, tuple(p.values)) for p in each.where[0]} <= asked and expanded <= set(each.expanded)
    ]
    used: list[Coverage] = []
    holes: list[Hole] = []
    place, last = variant["gte"], variant["lt"]
    for piece in sorted(pieces, key=lambda each: (each.gte is not None, each.gte or 0)):
        if piece.lt is not None and place is not None and piece.lt <= place:
            continue
        if last is not None and piece.gte is not None and piece.gte >= last:
            break
        if piece.gte is not None and (place is None or piece.gte > place):
            holes.append((place, piece.gte))
        used.append(piece)
        place = piece.lt
        if place is None:
            break
    if not used:
        return None
    if place is not None and (last is None or place < last):
        holes.append((place, last))
    return _part(tuple(holes), used)


def _part(holes: tuple[Hole, ...], used: Sequence[Coverage]) -> Part:
    moments = [each.read_at for each in used]
    known = [each for each in moments if each is not None]
    return Part(holes, min(each.as_of for each in used), min(known) if len(known) == len(moments) else None)
