"""What a YAML syntax error means, in words that help."""

from __future__ import annotations

import yaml

from engine.diagnostics import Collector, Label, Place

from .types import Span

_EXPLAINED: tuple[tuple[str, str, str | None], ...] = (
    (
        "mapping values are not allowed",
        "a `:` stands where no key can be",
        "compare the indentation, or put the text in quotes if it holds `: `",
    ),
    ("cannot start any token", "no value can start with this character", "put the text in quotes"),
    ("found a tab character", "a tab cannot indent", "indent with spaces"),
    ("while scanning a block scalar", "the block's lines are not indented as its first one", None),
    ("could not find expected ':'", "a `:` is missing behind this key", "write `key: value`, or indent the text"),
    ("did not find expected key", "a key was expected here", "compare the indentation with the lines above"),
    ("expected <block end>", "a key or the end of the block was expected here", "compare the indentation above"),
    ("did not find expected '-' indicator", "a list item (`- `) was expected here", "compare the indentation above"),
    ("did not find expected ',' or '}'", "`,` or `}` was expected here", "close the `{`, or put the text in quotes"),
    ("expected ',' or '}'", "`,` or `}` was expected here", "close the `{`, or put the text in quotes"),
    ("did not find expected ',' or ']'", "`,` or `]` was expected here", "close the `[`, or put the text in quotes"),
    ("expected ',' or ']'", "`,` or `]` was expected here", "close the `[`, or put the text in quotes"),
    ("unexpected end of stream", "the file ends inside a quoted text", "close the quotes"),
    (
        "unknown escape character",
        "no such escape in double quotes",
        "write `\\\\` for a backslash, or use single quotes",
    ),
    ("did not find expected hexdecimal number", "a hexadecimal number was expected here", None),
    ("did not find expected alphabetic", "an anchor's name was expected here", "put the text in quotes"),
    ("expected alphabetic or numeric", "an anchor's name was expected here", "put the text in quotes"),
    ("sequence entries are not allowed", "a list item cannot stand here", "put the text in quotes, or begin a line"),
    ("unknown directive", "a line cannot begin with `%` here", "put the text in quotes"),
    ("did not find expected node content", "a value was expected here", None),
    ("expected the node content", "a value was expected here", None),
)


def explain(file: str, text: str, error: yaml.YAMLError, collector: Collector) -> None:
    """Report E104 for an error of PyYAML's scanner or parser, with the place where the trouble started as a label."""
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
        labels.append(Label(begun, f"{_thing(context)} begins here"))
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
    """What PyYAML was reading ("while parsing a flow mapping"), in our words."""
    return next((words for part, words in _THINGS.items() if context.endswith(part)), "it")


def _words(problem: str, context: str) -> tuple[str, str | None]:
    for part, message, hint in _EXPLAINED:
        if part in problem or part in context:
            return message, hint
    return problem.lower().rstrip("."), None


def _visible(text: str, index: int) -> Span:
    """One character at `index`, or the last visible one before it when the line or the file is over."""
    index = min(index, len(text))
    if index < len(text) and text[index] not in "\r\n":
        return index, index + 1
    if index == len(text):
        index = len(text.rstrip())
    return max(index - 1, 0), index
