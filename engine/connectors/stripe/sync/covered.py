"""Which part of a list the mirror contains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.connector import Coverage, Mirror, Window, by_lower_bound

from ..catalogue import Table, load_catalogue
from ..planning.read_options import ReadOptions, Variant
from .sync_rules import emits_events


@dataclass(frozen=True, slots=True)
class Part:
    """What the mirror has of a variant: all but the `holes`, in order. The last one may have no upper bound: what was
    created since. `as_of` and `read_at` are those of the oldest piece."""

    holes: tuple[Window, ...]
    as_of: datetime
    read_at: datetime | None


def live_coverage(mirror: Mirror, table: Table, current_since: datetime | None) -> list[Coverage]:
    """The coverage of a table that is of the current API version, and was kept current if its changes emit events (or
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
    """What `live` has of the variant; None when it has nothing."""
    asked = {(column, op, tuple(values)) for column, op, values in variant["where"]}
    expanded = set(options["expanded"])
    pieces = [
        each
        for each in live
        if {(p.column, p.op.value, tuple(p.values)) for p in each.where[0]} <= asked and expanded <= set(each.expanded)
    ]
    used: list[Coverage] = []
    holes: tuple[Window, ...] = (Window(variant["gte"], variant["lt"]),)
    for piece in sorted(pieces, key=lambda each: by_lower_bound(each.window)):
        left = tuple(part for hole in holes for part in hole.without([piece.window]))
        if left != holes:
            used.append(piece)
            holes = left
    if not used:
        return None
    known = [each.read_at for each in used if each.read_at is not None]
    return Part(holes, min(each.as_of for each in used), min(known) if len(known) == len(used) else None)
