"""Names of endpoints, by which Stripe counts requests."""

from __future__ import annotations

from functools import cache
from typing import Final

from ..catalogue import load_catalogue

ALL: Final = "all"
"""The name for all endpoints together."""
SEARCH: Final = "search"
"""All searches share one limit."""


def endpoint_of(method: str, path: str) -> str:
    """`GET /v1/invoices/*/lines`: the method, and the path with `*` for each id; `SEARCH` for a search."""
    parts = path.strip("/").split("/")
    if parts[-1] == "search" and len(parts) > 2 and method == "GET":
        return SEARCH
    words = _words()
    return f"{method} /{'/'.join(part if part in words else '*' for part in parts)}"


@cache
def _words() -> frozenset[str]:
    """Every literal segment of the API's paths: all others are ids, including those chosen by users."""
    catalogue = load_catalogue()
    paths = [table.path for table in catalogue.tables.values()]
    paths += [each.path for each in catalogue.retrieves]
    paths += [each.path for each in catalogue.writes]
    paths += [each.path for each in catalogue.searches]
    segments = {part for path in paths for part in path.split("/")}
    return frozenset(part for part in segments if part and not part.startswith("{"))
