"""The rows of `weir.coverage` that one table of one account has, while a load changes them.

A load may claim dozens of windows that become one: they are merged here, and written once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from engine.connector import Window

UNFILTERED = "[[]]"
"""The filter of a read that was not narrowed, as it is written."""


@dataclass(slots=True, eq=False)
class CoverageRow:
    """A row of `weir.coverage`. `place` is its row id, None where it is new. Timestamps are naive UTC."""

    window: Window
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

    def replaces(self, other: CoverageRow) -> bool:
        """Whether this repeats the other one, or contains it."""
        if not set(other.expanded) <= set(self.expanded):
            return False
        if (self.window, self.filter) == (other.window, other.filter):
            return True
        return self.complete and self.filter in (other.filter, UNFILTERED) and self.window.covers(other.window)

    def continues(self, other: CoverageRow, oldest: datetime) -> bool:
        """Whether the two are one window: of one read, without a hole, and the other not older than `oldest`."""
        return (
            self.complete
            and other.complete
            and (self.filter, self.api_version, self.expanded) == (other.filter, other.api_version, other.expanded)
            and other.as_of >= oldest
            and self.window.touches(other.window)
        )

    def absorb(self, parts: Iterable[CoverageRow]) -> None:
        """Stand for these rows, too. The whole has the age of its oldest part."""
        for part in parts:
            self.window = self.window.hull(part.window)
            self.as_of = min(self.as_of, part.as_of)
            if self.read_at is not None and part.read_at is not None:
                self.read_at = min(self.read_at, part.read_at)
            self.carried = [name for name in self.carried if name in part.carried]
            self.pages += part.pages
            self.rows += part.rows


@dataclass(slots=True)
class CoverageRows:
    """What is claimed of a table: `present` to begin with. `deleted` are the places of rows that are to be deleted."""

    present: list[CoverageRow]
    deleted: list[int] = field(default_factory=list)

    @property
    def new(self) -> list[CoverageRow]:
        """The rows that are to be written."""
        return [each for each in self.present if each.place is None]

    def add(self, row: CoverageRow, oldest: datetime, *, alone: bool) -> None:
        """Claim a row's window in place of what it repeats or contains, as one with the windows that it continues.

        None of those is older than `oldest`. `alone`: nothing else is claimed of the table.
        """
        self._keep([] if alone else [each for each in self.present if not row.replaces(each)])
        parts = [each for each in self.present if row.continues(each, oldest)]
        self._keep([each for each in self.present if each not in parts])
        row.absorb(parts)
        self.present.append(row)

    def _keep(self, kept: list[CoverageRow]) -> None:
        self.deleted += [each.place for each in self.present if each.place is not None and each not in kept]
        self.present = kept
