"""Resolves a symbolic place to lines and columns."""

from __future__ import annotations

import re
from bisect import bisect_right

from engine.diagnostics import Place

from .scalars import source_span
from .types import Document, MappingNode, Node, Region, ScalarNode, SequenceNode, Span

_BREAK = re.compile(r"\r\n|\r|\n")


def locate(document: Document, place: Place) -> Region:
    """The region of `place` in `document`. A place that does not exist resolves to its nearest existing ancestor."""
    return region(document.file, document.text, span_of(document, place))


def region(file: str, text: str, span: Span) -> Region:
    """Lines and columns of a range of code points. `\\n`, `\\r\\n` and `\\r` end lines."""
    start = min(max(span[0], 0), len(text))
    end = min(max(span[1], start), len(text))
    starts, ends = _lines(text)
    first, last = bisect_right(starts, start) - 1, bisect_right(starts, end) - 1
    if last > first and end == starts[last]:  # ends with a line break: exclude the next line
        last, end = last - 1, ends[last - 1]
    return Region(
        file=file,
        start_line=first + 1,
        start_column=min(start, ends[first]) - starts[first] + 1,
        end_line=last + 1,
        end_column=min(end, ends[last]) - starts[last] + 1,
        lines=tuple(text[starts[line] : ends[line]] for line in range(first, last + 1)),
    )


def span_of(document: Document, place: Place) -> Span:
    """The code points that `place` covers.

    A block mapping is represented by its first key, a block list by its first dash: all of it would be too much to
    show.
    """
    if place.on == "text" or document.root is None:
        return place.span or (0, 0)
    node: Node = document.root
    key_span: Span | None = None
    for step in place.route:
        found = _step(node, step)
        if found is None:
            return _shown(document.text, node)
        key_span, node = found
    if place.on == "key" and key_span is not None:
        return key_span
    if place.span is not None and isinstance(node, ScalarNode):
        return source_span(document.text, node, place.span)
    return _shown(document.text, node)


def _lines(text: str) -> tuple[list[int], list[int]]:
    """The start of every line, and its end without the line break."""
    breaks = list(_BREAK.finditer(text))
    return [0, *(found.end() for found in breaks)], [*(found.start() for found in breaks), len(text)]


def _step(node: Node, step: str | int) -> tuple[Span | None, Node] | None:
    if isinstance(node, MappingNode):
        entry = node.entries.get(step) if isinstance(step, str) else None
        return None if entry is None else (entry.key_span, entry.node)
    if isinstance(node, SequenceNode) and isinstance(step, int) and 0 <= step < len(node.items):
        return None, node.items[step]
    return None


def _shown(text: str, node: Node) -> Span:
    if isinstance(node, ScalarNode) or text[node.span[0] : node.span[0] + 1] in ("{", "["):
        return node.span
    if isinstance(node, MappingNode) and node.entries:
        return next(iter(node.entries.values())).key_span
    return node.span[0], node.span[0] + 1
