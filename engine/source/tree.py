"""The project's files, parsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.diagnostics import Place

from .locate import locate, span_of
from .types import Document, Region, Span


@dataclass(frozen=True, slots=True)
class SourceTree:
    """All definition files, by path relative to `root` (POSIX), in order of path.

    `documents` are the YAML definitions and `weir.yaml`, `cases` the `*.test.yaml` files next to interfaces, `texts`
    the `.sql` files. `unread` are existing files that could not be read, which has been reported; if such a file has a
    text to show, it is in `documents` or `cases` without a root.
    """

    root: Path
    documents: Mapping[str, Document] = field(default_factory=dict)
    cases: Mapping[str, Document] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()

    def text_of(self, file: str) -> str | None:
        """The text of a file of the tree, or None."""
        document = self.documents.get(file) or self.cases.get(file)
        return document.text if document is not None else self.texts.get(file)

    def span(self, place: Place) -> Span:
        """The code points of the file's text that a place covers, as `locate` shows them."""
        return span_of(self._document(place.file), place)

    def locate(self, place: Place) -> Region:
        """Lines and columns of a place. A place that does not exist resolves to its nearest existing ancestor."""
        return locate(self._document(place.file), place)

    def _document(self, file: str) -> Document:
        found = self.documents.get(file) or self.cases.get(file)
        return found if found is not None else Document(file, self.texts.get(file, ""), None)
