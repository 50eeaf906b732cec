"""YAML 1.2 with exact spans, built on the events of PyYAML's parser.

PyYAML reads YAML 1.1 (`no` is false, `010` is 8), accepts duplicate keys, and its composer in C overflows the stack on
deep nesting. Here scalars follow the core schema of YAML 1.2, and depth, aliases and keys are checked while nodes are
built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from engine.diagnostics import Collector, Place

from .build import Builder, Refused
from .syntax import explain
from .types import Document, Node

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


class _PythonParser(Reader, Scanner, Parser):
    """PyYAML without libyaml: slower, with the same events."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


def read_yaml(file: str, text: str, collector: Collector, *, use_libyaml: bool = True) -> Document:
    """Read one document. If it cannot be read, that is reported and the document has no root."""
    root: Node | None = None
    if _is_printable(file, text, collector):
        builder = Builder(file, text, collector)
        try:
            root = builder.build(_events(text, use_libyaml))
        except Refused:
            root = None
        except yaml.YAMLError as error:
            explain(file, text, error, collector)
    return Document(file, text, root)


def _events(text: str, use_libyaml: bool) -> Iterator[Any]:
    parser: Any = yaml.CSafeLoader(text) if use_libyaml and yaml.__with_libyaml__ else _PythonParser(text)
    try:
        while parser.check_event():
            yield parser.get_event()
    finally:
        parser.dispose()


def _is_printable(file: str, text: str, collector: Collector) -> bool:
    found = _FORBIDDEN.search(text)
    if found is None:
        return True
    collector.report(
        "E105",
        f"the character U+{ord(found[0]):04X} is not allowed in a definition",
        Place(file, on="text").within(*found.span()),
        hint="remove it, or write it as an escape in double quotes, such as `\\u2028`",
    )
    return False
