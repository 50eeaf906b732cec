"""Pairs expected rows with actual rows where no key identifies them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Fits = Callable[[int, int], bool]


def pair(expected: int, actual: int, fits: Fits, begun: Mapping[int, int] | None = None) -> dict[int, int]:
    """A maximum set of pairs (expected → actual) of which `fits` is true, for these numbers of rows.

    A row that names few columns fits many others, so a pair is rearranged if another row needs its partner (augmenting
    paths). The pairs in `begun` fit and are the starting point, which saves time.
    """
    pairs = dict(begun or {})
    taken = {other: one for one, other in pairs.items()}
    for first in range(expected):
        if first in pairs:
            continue
        came: dict[int, int] = {}
        free = _free(first, actual, fits, taken, came)
        while free is not None:
            owner = came[free]
            before = pairs.get(owner)
            pairs[owner], taken[free] = free, owner
            free = before
    return pairs


def _free(first: int, actual: int, fits: Fits, taken: dict[int, int], came: dict[int, int]) -> int | None:
    """An unpaired row at the end of a chain of rows that can be swapped; `came` maps each row to its predecessor."""
    waiting = [first]
    while waiting:
        wanting = waiting.pop()
        for index in range(actual):
            if index in came or not fits(wanting, index):
                continue
            came[index] = wanting
            if index not in taken:
                return index
            waiting.append(taken[index])
    return None
