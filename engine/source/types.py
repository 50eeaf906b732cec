"""Documents as trees of nodes with their positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, assert_never

Span = tuple[int, int]
"""A half-open range of code points in a file's text."""

Scalar = str | int | float | bool | None
Style = Literal["plain", "single", "double", "literal", "folded"]


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A text, number, boolean or null. `value` follows YAML 1.2's core schema; `text` is the decoded source text.

    `span` covers the quotes or the block's indicator and lines as well.
    """

    span: Span
    value: Scalar
    text: str
    style: Style


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a mapping. `key_span` covers the key as written."""

    key_span: Span
    node: Node


@dataclass(frozen=True, slots=True)
class MappingNode:
    """A mapping: keys are text and distinct, in the order of the file."""

    span: Span
    entries: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """A list of nodes."""

    span: Span
    items: tuple[Node, ...]


Node = ScalarNode | MappingNode | SequenceNode

NO_ENTRIES: Final[Mapping[str, Entry]] = MappingProxyType({})


def plain(node: Node) -> object:
    """The node as plain Python values: dict, list, str, int, float, bool, None."""
    match node:
        case ScalarNode():
            return node.value
        case MappingNode():
            return {key: plain(entry.node) for key, entry in node.entries.items()}
        case SequenceNode():
            return [plain(item) for item in node.items]
        case _:
            assert_never(node)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file. `file` is its POSIX path relative to the root, `text` all of it.

    `root` is None when the file is not valid YAML: that was reported, and the text is kept for the report.
    """

    file: str
    text: str
    root: Node | None

    @property
    def folder(self) -> str:
        """The top folder (`connections`, `interfaces`, `schemas`), or empty for a file in the root itself."""
        head, slash, _ = self.file.partition("/")
        return head if slash else ""


@dataclass(frozen=True, slots=True)
class Region:
    """The position of a place, for people: lines and columns count from 1, columns in code points.

    `end` is exclusive. `lines` are the texts of the lines `start_line` to `end_line`, without line breaks.
    """

    file: str
    start_line: int
    start_column: int
    end_line: int
    end_column: int
    lines: tuple[str, ...]
