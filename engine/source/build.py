"""Builds nodes from YAML events, with limits on depth, aliases and size."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import yaml

from engine.diagnostics import Collector, Label, Place

from .scalars import plain_value
from .types import Entry, MappingNode, Node, Scalar, ScalarNode, SequenceNode, Span, Style

MAX_DEPTH: Final = 40
MAX_ALIASES: Final = 100
MAX_NODES: Final = 100_000

_STYLES: Final[dict[str | None, Style]] = {
    None: "plain", "": "plain", "'": "single", '"': "double", "|": "literal", ">": "folded",
}  # fmt: skip
_MERGE: Final = "<<"
_ANCHOR: Final = re.compile(r"&\S+\s*")
_CORE_TAG: Final = "tag:yaml.org,2002:"


class Refused(Exception):  # noqa: N818 - a decision, not a failure: it was reported
    """The document is rejected; the reason has been reported."""


@dataclass(slots=True)
class _Unclosed:
    """A collection whose end has not been read. `size` counts its nodes with aliases expanded."""

    is_mapping: bool
    start: int
    anchor: str | None
    size: int = 1
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: tuple[str, Span] | None = None
    skipping: bool = False  # the entry whose key was rejected: its value is read and dropped


class Builder:
    """Builds the nodes of one document; use it once."""

    def __init__(self, file: str, text: str, collector: Collector) -> None:
        self._file = file
        self._text = text
        self._collector = collector
        self._stack: list[_Unclosed] = []
        self._anchors: dict[str, tuple[Node, int] | None] = {}
        self._aliases = 0
        self._nodes = 0
        self._documents = 0
        self._root: Node | None = None
        self._refused = False

    def build(self, events: Iterable[Any]) -> Node:
        """The root node. Raises `Refused` for a rejected document, and PyYAML's errors for invalid syntax."""
        for event in events:
            self._take(event)
        if self._refused:
            raise Refused
        if self._root is None:
            self._stop("E115", "the file is empty", (0, 0), "add a definition, or remove the file")
        return self._root

    def _take(self, event: Any) -> None:
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close(event)
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.DocumentStartEvent():
                self._document(event)
            case _:
                pass

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop(
                "E109",
                "a second document starts here",
                self._span(event),
                "move it to its own file: a file holds one definition",
            )

    def _scalar(self, event: Any) -> None:
        span = self._span(event)
        self._tag(event, span)
        style = _STYLES[event.style]
        text: str = event.value
        if self._awaits_key():
            self._take_key(text, span, style)
            return
        value: Scalar = text
        if style == "plain" and event.tag is None:
            try:
                value = plain_value(text)
            except ValueError as error:
                self._report("E114", str(error), span, "quote it if it is text")
                self._refused = True
        self._finish(ScalarNode(span, value, text, style), 1, event.anchor)

    def _open(self, event: Any) -> None:
        span = self._span(event)
        self._tag(event, span)
        if self._awaits_key():
            self._stop("E112", "expected text as a key, found a list or a mapping", (span[0], span[0] + 1), None)
        if len(self._stack) >= MAX_DEPTH:
            place = (span[0], span[0] + 1)
            self._stop("E106", f"expected at most {MAX_DEPTH} levels of nesting", place, "split the definition")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append(_Unclosed(isinstance(event, yaml.MappingStartEvent), span[0], event.anchor))

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        end: int = event.end_mark.index
        end = done.start + len(self._text[done.start : end].rstrip())
        span = (done.start, end)
        node: Node = MappingNode(span, done.entries) if done.is_mapping else SequenceNode(span, tuple(done.items))
        self._finish(node, done.size, done.anchor)

    def _alias(self, event: Any) -> None:
        span = self._span(event)
        if self._awaits_key():
            self._stop("E112", "expected text as a key, found an alias", span, "write the key out")
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            self._stop("E117", f"expected at most {MAX_ALIASES} aliases in one file", span, "write the values out")
        if event.anchor not in self._anchors:
            self._stop("E107", f"no anchor `{event.anchor}` above", span, "define it with `&` before its first use")
        anchored = self._anchors[event.anchor]
        if anchored is None:
            self._stop("E107", f"`*{event.anchor}` is inside the value that it repeats", span, None)
        self._finish(anchored[0], anchored[1], None, span)

    def _finish(self, node: Node, size: int, anchor: str | None, alias: Span | None = None) -> None:
        """Add a complete node to its parent."""
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        self._nodes += size
        if not self._stack:
            if self._nodes > MAX_NODES:
                self._too_many(alias or node.span)
            self._root = node
            return
        parent = self._stack[-1]
        parent.size += size
        if parent.size > MAX_NODES:
            self._too_many(alias or node.span)
        if not parent.is_mapping:
            parent.items.append(node)
            return
        assert parent.key is not None
        if not parent.skipping:
            parent.entries[parent.key[0]] = Entry(parent.key[1], node)
        parent.key, parent.skipping = None, False

    def _too_many(self, span: Span) -> None:
        place = (span[0], min(span[1], span[0] + 40))
        self._stop("E117", f"expected at most {MAX_NODES} values, with aliases expanded", place, None)

    def _awaits_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].is_mapping and self._stack[-1].key is None

    def _take_key(self, text: str, span: Span, style: Style) -> None:
        parent = self._stack[-1]
        parent.key = (text, span)
        if style == "plain" and text == _MERGE:
            hint = "write the keys out: YAML 1.2 has no merge keys"
            self._report("E111", "the merge key `<<` is not allowed", span, hint)
            self._refused = parent.skipping = True
        elif style == "plain" and not isinstance(_key_value(text), str):
            self._report("E112", f"expected text as a key, found `{text[:40]}`", span, "quote the key")
            self._refused = parent.skipping = True
        elif text in parent.entries:
            first = Place(self._file, on="text").within(*parent.entries[text].key_span)
            place = Place(self._file, on="text").within(*span)
            label = Label(first, "first defined here")
            hint = "remove one of them"
            self._collector.report("E108", f"duplicate key `{text[:80]}`", place, hint=hint, labels=[label])
            parent.skipping = True

    def _tag(self, event: Any, span: Span) -> None:
        if event.tag is not None:
            hint = "remove the tag; to make the value text, quote it"
            end = min(span[1], max(span[0] + 1, _line_end(self._text, span[0])))
            tag = event.tag.replace(_CORE_TAG, "!!")[:60]
            self._report("E110", f"the tag `{tag}` is not allowed", (span[0], end), hint)
            self._refused = True

    def _span(self, event: Any) -> Span:
        """The span of the value, without its anchor."""
        start, end = event.start_mark.index, event.end_mark.index
        anchored = _ANCHOR.match(self._text, start) if getattr(event, "anchor", None) is not None else None
        return (start if anchored is None else min(anchored.end(), end)), end

    def _report(self, code: str, message: str, span: Span, hint: str | None) -> None:
        self._collector.report(code, message, Place(self._file, on="text").within(*span), hint=hint)

    def _stop(self, code: str, message: str, span: Span, hint: str | None) -> NoReturn:
        self._report(code, message, span, hint)
        raise Refused


def _span(event: Any) -> Span:
    return event.start_mark.index, event.end_mark.index


def _key_value(text: str) -> Scalar:
    try:
        return plain_value(text)
    except ValueError:
        return 0


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
