"""Hooks: changes that happen right before a page is answered, to catch a reader between two pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any


@dataclass(slots=True)
class Hook:
    """Before page `page` (1 is the first that is asked for from now on) of the list at `path`: do a write.

    The write is `method` `target` with the form `params`, done by the account that asks for the page; it is not
    limited, counted or delayed. `advance` moves the clock by so many seconds first.
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
    """The hooks that are set."""

    def __init__(self) -> None:
        self.all: list[Hook] = []
        self._ids = count(1)

    def add(self, given: dict[str, Any]) -> Hook:
        """Set a hook from its JSON form; ValueError says what is wrong with it."""
        known = {"path", "page", "method", "target", "params", "advance"}
        if set(given) - known or not {"path", "page"} <= set(given):
            raise ValueError(f"a hook needs `path` and `page`, and may have {', '.join(sorted(known))}")
        hook = Hook(**given, id=next(self._ids))
        self.all.append(hook)
        return hook

    def clear(self) -> None:
        """Take all hooks back."""
        self.all.clear()

    def due(self, path: str) -> list[Hook]:
        """Count a page of this list; the hooks that are to be carried out before it."""
        due = []
        for hook in self.all:
            if hook.path == path and hook.status is None:
                hook.seen += 1
                if hook.seen == hook.page:
                    due.append(hook)
        return due
