"""A location in the definitions, before it is resolved to lines and columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Route = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A symbolic place in a file.

    `file` is a POSIX path relative to the project's root. `route` holds the keys and indexes from the document's root
    to a node; `on` selects a part of that node. `span` is a half-open range of code points: inside the decoded text of
    the value (`on="value"`), or inside the whole file (`on="text"`, route empty), for files that are not YAML or could
    not be read as YAML. Lines and columns are computed when the place is shown (`report.findings.located`).
    """

    file: str
    route: Route = ()
    on: Literal["value", "key", "text"] = "value"
    span: tuple[int, int] | None = None

    def at(self, *steps: str | int) -> Place:
        """The place of a node below this one."""
        return Place(self.file, (*self.route, *steps))

    def key(self, *steps: str | int) -> Place:
        """The place of the key that names a node below this one (or this one, without steps)."""
        return Place(self.file, (*self.route, *steps), on="key")

    def within(self, start: int, end: int) -> Place:
        """The code points `[start, end)` inside the text of this place."""
        return replace(self, span=(start, max(start, end)))
