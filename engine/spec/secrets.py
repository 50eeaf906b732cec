"""Finds what looks like a key in the texts of a definition."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.diagnostics import Route
from engine.source import MappingNode, Node, ScalarNode, SequenceNode

_KEY = re.compile(r"\b(?:(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9+/=]{16,})")


def secret_spans(node: Node, route: Route = ()) -> Iterator[tuple[Route, tuple[int, int]]]:
    """Where keys stand: the route of the text and the code points inside it."""
    match node:
        case ScalarNode():
            if "_" in node.text:
                for found in _KEY.finditer(node.text):
                    yield route, found.span()
        case MappingNode():
            for key, entry in node.entries.items():
                yield from secret_spans(entry.node, (*route, key))
        case SequenceNode():
            for index, item in enumerate(node.items):
                yield from secret_spans(item, (*route, index))
