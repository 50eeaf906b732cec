"""Hooks: writes immediately before a page is read, to test readers between two pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any


@dataclass(slots=True)
class Hook:
    """A write before page `page` (1 is the next one requested) of the list at `path`.

    The write is `method` `target` with the form `params`, by the account that requests the page; it is not limited,
    counted or delayed. `advance` first moves the clock by this many seconds.
    """

    path: str
    page: int
    method: str = "POST"
    target: str = ""
    params: dict[str, str] = field(default_factory=dict)
    advance: int = 0
    id: int = 0
    seen: int = 0
    status: int | None = None


class Hooks:
    """The active hooks."""

    def __init__(self) -> None:
        self.all: list[Hook] = []
        self._ids = count(1)

    def add(self, given: dict[str, Any]) -> Hook:
        """Add a hook from its JSON form. ValueError with the reason if it is invalid."""
        known = {"path", "page", "method", "target", "params", "advance"}
        if set(given) - known or not {"path", "page"} <= set(given):
            raise ValueError(f"a hook requires `path` and `page`; valid fields: {', '.join(sorted(known))}")
        hook = Hook(**given, id=next(self._ids))
        self.all.append(hook)
        return hook

    def clear(self) -> None:
        """Remove all hooks."""
        self.all.clear()

    def due(self, path: str) -> list[Hook]:
        """Count a page of this list. Returns the hooks due before it."""
        due = []
        for hook in self.all:
            if hook.path == path and hook.status is None:
                hook.seen += 1
                if hook.seen == hook.page:
                    due.append(hook)
        return due
