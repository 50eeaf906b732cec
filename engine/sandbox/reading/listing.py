"""Pages of lists, by cursor."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..errors import invalid, missing
from ..objects import label
from ..params import RawParams, to_integer
from ..state import OrderKey, Row, Store
from .filters import ListQuery

LIMIT: Final = 10
LIMIT_MOST: Final = 100

OLDEST_FIRST: Final = frozenset({"line_item", "credit_note_line_item", "item", "subscription_item"})
"""Kinds whose lists are in order of creation."""


@dataclass(frozen=True, slots=True)
class Paging:
    """The requested page."""

    limit: int = LIMIT
    after: str | None = None
    before: str | None = None


def read_paging(given: RawParams) -> Paging:
    """The paging parameters. ApiError for invalid ones."""
    limit = LIMIT
    if "limit" in given:
        text = given["limit"]
        limit = to_integer(text if isinstance(text, str) else "", "limit")
        if limit > LIMIT_MOST:
            message = f"This value must be less than or equal to {LIMIT_MOST} (it currently is '{limit}')."
            raise invalid(message, "limit", "parameter_invalid_integer")
        if limit < 1:
            raise invalid("This value must be greater than or equal to 1.", "limit", "parameter_invalid_integer")
    after, before = given.get("starting_after"), given.get("ending_before")
    if after is not None and before is not None:
        raise invalid("You can only use one of starting_after and ending_before.", "starting_after")
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None and not (isinstance(cursor, str) and cursor):
            raise invalid(f"Invalid string: {cursor}", name)
    return Paging(limit, after, before)


def find_page(
    store: Store, resources: Sequence[str], query: ListQuery, paging: Paging, within: list[OrderKey] | None = None
) -> tuple[list[Row], bool]:
    """The rows of one page, and whether more follow in its direction. `within` restricts the list to these rows."""
    keys = within if within is not None else _candidates(store, resources, query)
    low = 0 if query.low is None else bisect_left(keys, (query.low,))
    high = len(keys) if query.high is None else bisect_left(keys, (query.high,))
    ascending = resources[0] in OLDEST_FIRST
    backward = False
    if paging.after is not None or paging.before is not None:
        name, cursor = ("starting_after", paging.after) if paging.after else ("ending_before", paging.before)
        row = _cursor(store, resources, cursor or "", name)
        place = (row.created, row.seq)
        backward = name == "ending_before"
        if ascending != backward:
            low = max(low, bisect_right(keys, (*place, _LAST)))
        else:
            high = min(high, bisect_left(keys, place))
    upward = ascending != backward
    steps: Iterable[int] = range(low, high) if upward else range(high - 1, low - 1, -1)
    found = _collect(keys, steps, query, paging.limit + 1)
    more = len(found) > paging.limit
    page = found[: paging.limit]
    return (page[::-1] if backward else page), more


class _Last:
    """Greater than every row."""

    def __lt__(self, other: Any) -> bool:
        return False

    def __gt__(self, other: Any) -> bool:
        return True


_LAST: Final = _Last()


def _collect(keys: list[OrderKey], steps: Iterable[int], query: ListQuery, enough: int) -> list[Row]:
    found: list[Row] = []
    for place in steps:
        row = keys[place][2]
        if not query.tests or query.holds(row):
            found.append(row)
            if len(found) == enough:
                break
    return found


def _candidates(store: Store, resources: Sequence[str], query: ListQuery) -> list[OrderKey]:
    parts = [store.table(each).where(*query.equal) if query.equal else store.table(each).order for each in resources]
    return parts[0] if len(parts) == 1 else sorted(key for part in parts for key in part)


def _cursor(store: Store, resources: Sequence[str], identifier: str, param: str) -> Row:
    for resource in resources:
        row = store.find(resource, identifier)
        if row is not None:
            return row
    raise missing(label(resources[0]), identifier, param=param)
