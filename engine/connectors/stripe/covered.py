"""Which part of a list the mirror has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.connector import Coverage, Mirror

from .catalogue import Table, load_catalogue
from .read_options import ReadOptions, Variant
from .sync_rules import emits_events


@dataclass(frozen=True, slots=True)
class Part:
    """What the mirror has of a variant: everything created before `end` (Unix seconds; None: everything there was).

    `as_of` and `read_at` are those of its oldest piece.
    """

    end: int | None
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


def covered_part(live: Sequence[Coverage], variant: Variant, options: ReadOptions) -> Part | None:
    """What `live` has of the variant, without a hole from its beginning; None when that is nothing."""
    asked = {(column, op, tuple(values)) for column, op, values in variant["where"]}
    expanded = set(options["expanded"])
    pieces = [
        each
        for each in live
        if {(p.column, p.op.value, tuple(p.values)) for p in each.where[0]} <= asked and expanded <= set(each.expanded)
    ]
    used: list[Coverage] = []
    end = variant["gte"]
    for piece in sorted(pieces, key=lambda each: (each.gte is not None, each.gte or 0)):
        if piece.gte is not None and (end is None or piece.gte > end):
            break
        if piece.lt is not None and end is not None and piece.lt <= end:
            continue
        used.append(piece)
        if piece.lt is None:
            return _part(None, used)
        end = piece.lt
    return _part(end, used) if used else None


def _part(end: int | None, used: Sequence[Coverage]) -> Part:
    moments = [each.read_at for each in used]
    known = [each for each in moments if each is not None]
    return Part(end, min(each.as_of for each in used), min(known) if len(known) == len(moments) else None)
