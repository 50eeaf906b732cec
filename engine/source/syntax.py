"""Explains YAML syntax errors."""

from __future__ import annotations

import yaml

from engine.diagnostics import Collector, Label, Place

from .types import Span

_EXPLAINED: tuple[tuple[str, str, str | None], ...] = (
    (
        "mapping values are not allowed",
        "unexpected `:`: no key can be here",
        "compare the indentation, or quote the text if it contains `: `",
    ),
    ("cannot start any token", "a value cannot start with this character", "quote the text"),
    ("found a tab character", "expected spaces as indentation, found a tab", "indent with spaces"),
    ("while scanning a block scalar", "expected the indentation of the block's first line", None),
    ("could not find expected ':'", "expected `:` after this key", "write `key: value`, or indent the text"),
    ("did not find expected key", "expected a key", "compare the indentation with the lines above"),
    ("expected <block end>", "expected a key or the end of the block", "compare the indentation above"),
    ("did not find expected '-' indicator", "expected a list item (`- `)", "compare the indentation above"),
    ("did not find expected ',' or '}'", "expected `,` or `}`", "close the `{`, or quote the text"),
    ("expected ',' or '}'", "expected `,` or `}`", "close the `{`, or quote the text"),
    ("did not find expected ',' or ']'", "expected `,` or `]`", "close the `[`, or quote the text"),
    ("expected ',' or ']'", "expected `,` or `]`", "close the `[`, or quote the text"),
    ("unexpected end of stream", "the file ends inside quoted text", "close the quotes"),
    (
        "unknown escape character",
        "unknown escape in double quotes",
        "write `\\\\` for a backslash, or use single quotes",
    ),
    ("did not find expected hexdecimal number", "expected a hexadecimal number", None),
    ("did not find expected alphabetic", "expected the name of an anchor", "quote the text"),
    ("expected alphabetic or numeric", "expected the name of an anchor", "quote the text"),
    ("sequence entries are not allowed", "a list item is not allowed here", "quote the text, or start a new line"),
    ("unknown directive", "a line cannot start with `%` here", "quote the text"),
    ("did not find expected node content", "expected a value", None),
    ("expected the node content", "expected a value", None),
)


def explain(file: str, text: str, error: yaml.YAMLError, collector: Collector) -> None:
    """Report E104 for an error of PyYAML's scanner or parser, with the start of the enclosing construct as a label."""
    problem = str(getattr(error, "problem", None) or error)
    mark = getattr(error, "problem_mark", None)
    context_mark = getattr(error, "context_mark", None)
    context = str(getattr(error, "context", None) or "")
    span = _visible(text, mark.index if mark is not None else len(text))
    is_tab = text[slice(*span)] == "\t" and "cannot start any token" in problem
    message, hint = _words("found a tab character" if is_tab else problem, context)
    labels = []
    if context_mark is not None and mark is not None and context_mark.index < span[0]:
        begun = Place(file, on="text").within(*_visible(text, context_mark.index))
        labels.append(Label(begun, f"{_thing(context)} starts here"))
    collector.report("E104", message, Place(file, on="text").within(*span), hint=hint, labels=labels)


_THINGS = {
    "block mapping": "the mapping",
    "block collection": "the block",
    "flow mapping": "the `{`",
    "flow sequence": "the `[`",
    "quoted scalar": "the quoted text",
    "double-quoted scalar": "the quoted text",
    "single-quoted scalar": "the quoted text",
    "plain scalar": "the text",
    "block scalar": "the block of text",
    "simple key": "the key",
}


def _thing(context: str) -> str:
    """What PyYAML was reading ("while parsing a flow mapping"), in the terms of our messages."""
    return next((words for part, words in _THINGS.items() if context.endswith(part)), "it")


def _words(problem: str, context: str) -> tuple[str, str | None]:
    for part, message, hint in _EXPLAINED:
        if part in problem or part in context:
            return message, hint
    return problem.lower().rstrip("."), None


def _visible(text: str, index: int) -> Span:
    """One character at `index`, or the last visible one before it at the end of a line or of the file."""
    index = min(index, len(text))
    if index < len(text) and text[index] not in "\r\n":
        return index, index + 1
    if index == len(text):
        index = len(text.rstrip())
    return max(index - 1, 0), index
