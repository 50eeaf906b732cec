"""Which part of a list the mirror contains."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.connector import Coverage, Mirror, Window, by_lower_bound

from ..catalogue import Table, load_catalogue
from ..planning.read_options import Variant
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


def covered_part(live: Sequence[Coverage], variant: Variant, expanded: Collection[str]) -> Part | None:
    """What `live` has of the variant with these fields expanded; None when it has nothing."""
    pieces = [each for each in live if set(each.where[0]) <= set(variant.where) and set(expanded) <= set(each.expanded)]
    used: list[Coverage] = []
    holes: tuple[Window, ...] = (variant.window,)
    for piece in sorted(pieces, key=lambda each: by_lower_bound(each.window)):
        left = tuple(part for hole in holes for part in hole.without([piece.window]))
        if left != holes:
            used.append(piece)
            holes = left
    if not used:
        return None
    known = [each.read_at for each in used if each.read_at is not None]
    return Part(holes, min(each.as_of for each in used), min(known) if len(known) == len(used) else None)
