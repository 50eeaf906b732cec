"""Finds text that looks like a secret: in values, keys and comments of definitions, and in SQL files."""

from __future__ import annotations

from collections.abc import Iterator

from engine.connector.installed import secret_policy
from engine.diagnostics import Collector, Place
from engine.source import Document, MappingNode, Node, ScalarNode, SequenceNode, SourceTree, Span

_HINT = "use a reference such as `{env: SECRET_KEY}`, and roll the key"


def report_secrets(tree: SourceTree, collector: Collector) -> frozenset[str]:
    """Report every key in plain text (E207). Returns the files that contain one.

    The whole text is searched, comments included; values with escapes are also searched in decoded form. The value of a
    connection's `client_secret` is left to its model, which rejects any text there.
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
    found = _in_text(document.file, document.text, _client_secret(document.root), collector)
    if document.root is not None and "\\" in document.text:
        for place in _decoded(document.root, document.text, Place(document.file)):
            found = True
            collector.report("E207", "found text that looks like a key", place, hint=_HINT)
    return found


def _in_text(file: str, text: str, skipped: Span, collector: Collector) -> bool:
    reported = False
    for found in secret_policy().find(text):
        if skipped[0] <= found.start < skipped[1]:
            continue
        place = Place(file, on="text").within(found.start, found.end)
        collector.report("E207", "found text that looks like a key", place, hint=_HINT)
        reported = True
    return reported


def _client_secret(root: Node | None) -> Span:
    """The span of a literal `client_secret`, or an empty span."""
    entry = root.entries.get("client_secret") if isinstance(root, MappingNode) else None
    return entry.node.span if entry is not None and isinstance(entry.node, ScalarNode) else (0, 0)


def _decoded(root: Node, text: str, place: Place) -> Iterator[Place]:
    """The places of secrets that appear only in decoded values and keys."""
    match root:
        case ScalarNode():
            yield from (place.within(*span) for span in _hidden(root.text, text))
        case MappingNode():
            for key, entry in root.entries.items():
                yield from (place.key(key) for _ in _hidden(key, text))
                if not (isinstance(entry.node, ScalarNode) and (*place.route, key) == ("client_secret",)):
                    yield from _decoded(entry.node, text, place.at(key))
        case SequenceNode():
            for index, item in enumerate(root.items):
                yield from _decoded(item, text, place.at(index))


def _hidden(decoded: str, text: str) -> Iterator[Span]:
    """The secrets of a decoded text that the file's text does not contain verbatim."""
    for found in secret_policy().find(decoded):
        if decoded[found.start : found.end] not in text:
            yield found.start, found.end
