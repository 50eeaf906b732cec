"""Which expected row is which row that is there, where no key tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Fits = Callable[[int, int], bool]


def pair(expected: int, actual: int, fits: Fits, begun: Mapping[int, int] | None = None) -> dict[int, int]:
    """As many pairs (expected → actual) as there can be of so many expected and actual rows, of which `fits` says
    whether two may be one pair.

    A row that names little fits many others: who has a row gives it up for one that fits, too, if somebody else needs
    it (augmenting paths). Pairs that were `begun` fit, and are a beginning: they make it fast.
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
    """A row that nobody has, at the end of a chain of rows that can be swapped; `came` says who reaches each."""
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
