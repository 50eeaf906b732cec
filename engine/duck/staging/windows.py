"""The rows of `weir.coverage` that one table of one account has, while a load changes them.

A load may claim dozens of windows that become one: they are put together here, and written once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

EVERYTHING = "[[]]"
"""The filter of a read that was not narrowed, as it is written."""


@dataclass(slots=True, eq=False)
class Window:
    """A row of `weir.coverage`. `place` is its row id, None where it is new. Instants are naive UTC."""

    gte: int | None
    lt: int | None
    filter: str
    as_of: datetime
    strategy: str
    api_version: str
    pages: int
    rows: int
    complete: bool
    expanded: list[str]
    read_at: datetime | None
    carried: list[str]
    place: int | None = None

    def replaces(self, other: Window) -> bool:
        """Whether this repeats the other one, or contains it."""
        if not set(other.expanded) <= set(self.expanded):
            return False
        if (self.gte, self.lt, self.filter) == (other.gte, other.lt, other.filter):
            return True
        return (
            self.complete
            and self.filter in (other.filter, EVERYTHING)
            and (self.gte is None or (other.gte is not None and other.gte >= self.gte))
            and (self.lt is None or (other.lt is not None and other.lt <= self.lt))
        )

    def continues(self, other: Window, oldest: datetime) -> bool:
        """Whether the two are one window: of one read, without a hole, and the other not older than `oldest`."""
        return (
            self.complete
            and other.complete
            and (self.filter, self.api_version, self.expanded) == (other.filter, other.api_version, other.expanded)
            and other.as_of >= oldest
            and (other.gte is None or self.lt is None or other.gte <= self.lt)
            and (other.lt is None or self.gte is None or other.lt >= self.gte)
        )

    def take_in(self, parts: Iterable[Window]) -> None:
        """Be these, too. The whole has the age of its oldest part."""
        for part in parts:
            self.gte = None if self.gte is None or part.gte is None else min(self.gte, part.gte)
            self.lt = None if self.lt is None or part.lt is None else max(self.lt, part.lt)
            self.as_of = min(self.as_of, part.as_of)
            if self.read_at is not None and part.read_at is not None:
                self.read_at = min(self.read_at, part.read_at)
            self.carried = [name for name in self.carried if name in part.carried]
            self.pages += part.pages
            self.rows += part.rows


@dataclass(slots=True)
class Windows:
    """What is claimed of a table: `present` to begin with. `gone` are the places of rows that are to be deleted."""

    present: list[Window]
    gone: list[int] = field(default_factory=list)

    @property
    def new(self) -> list[Window]:
        """The rows that are to be written."""
        return [each for each in self.present if each.place is None]

    def add(self, window: Window, oldest: datetime, *, alone: bool) -> None:
        """Claim a window in place of what it repeats or contains, as one with the windows that it continues.

        None of those is older than `oldest`. `alone`: nothing else of the table is claimed any more.
        """
        self._leave([] if alone else [each for each in self.present if not window.replaces(each)])
        parts = [each for each in self.present if window.continues(each, oldest)]
        self._leave([each for each in self.present if each not in parts])
        window.take_in(parts)
        self.present.append(window)

    def _leave(self, kept: list[Window]) -> None:
        self.gone += [each.place for each in self.present if each.place is not None and each not in kept]
        self.present = kept
