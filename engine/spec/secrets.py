"""Finds what looks like a key: in values, keys and comments of definitions, and in SQL files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.connector.sandbox import SANDBOX_KEY
from engine.diagnostics import Collector, Place
from engine.source import Document, MappingNode, Node, ScalarNode, SequenceNode, SourceTree, Span

_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:sk|rk)_(?:live|test)_[A-Za-z0-9_]{8,}|whsec_[A-Za-z0-9+/=_]{16,})"
    r"|(?:sk|rk)_(?:live|test)_(?=[A-Za-z]*\d)[A-Za-z0-9]{16,}"  # inside a longer word
)
_HINT = "take it out, write a reference such as `{env: STRIPE_SECRET_KEY}`, and roll the key"


def report_secrets(tree: SourceTree, collector: Collector) -> frozenset[str]:
    """Report every key that stands in a file in plain text (E207); gives the files that hold one.

    The whole text is searched, comments included; texts with escapes are searched once more as they decode. What
    stands under `client_secret` of a connection is left to its model, which refuses any text there.
    """
    leaking = set()
    for document in (*tree.documents.values(), *tree.cases.values()):
        if _in_document(document, collector):
            leaking.add(document.file)
    for file, text in tree.texts.items():
        if _in_text(file, text, (0, 0), collector):
            leaking.add(file)
    return frozenset(leaking)


def _in_document(document: Document, collector: Collector) -> bool:
    if "_" not in document.text and "\\" not in document.text:
        return False
    found = _in_text(document.file, document.text, _client_secret(document.root), collector)
    if document.root is not None and "\\" in document.text:
        for route, span in _decoded(document.root, document.text):
            if route != ("client_secret",):
                found = True
                place = Place(document.file).at(*route).within(*span)
                collector.report("E207", "this looks like a key", place, hint=_HINT)
    return found


def _in_text(file: str, text: str, left_out: Span, collector: Collector) -> bool:
    reported = False
    for found in _KEY.finditer(text):
        if found[0] == SANDBOX_KEY or left_out[0] <= found.start() < left_out[1]:
            continue
        place = Place(file, on="text").within(*found.span())
        collector.report("E207", "this looks like a key", place, hint=_HINT)
        reported = True
    return reported


def _client_secret(root: Node | None) -> Span:
    """Where a literal `client_secret` stands, or nowhere."""
    entry = root.entries.get("client_secret") if isinstance(root, MappingNode) else None
    return entry.node.span if entry is not None and isinstance(entry.node, ScalarNode) else (0, 0)


def _decoded(node: Node, text: str, route: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Span]]:
    """Keys that show only when a text is decoded: the route of the text and the code points inside it."""
    match node:
        case ScalarNode():
            for found in _KEY.finditer(node.text):
                if found[0] not in text and found[0] != SANDBOX_KEY:
                    yield route, found.span()
        case MappingNode():
            for key, entry in node.entries.items():
                yield from _decoded(entry.node, text, (*route, key))
        case SequenceNode():
            for index, item in enumerate(node.items):
                yield from _decoded(item, text, (*route, index))
