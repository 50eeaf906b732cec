"""Scalars: the value of a plain one, and the position in the file of each decoded character."""

from __future__ import annotations

import re

from .types import Scalar, ScalarNode, Span

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DECIMAL_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED_INTEGER = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_NOT_A_NUMBER = frozenset({".nan", ".NaN", ".NAN"})
MAX_DIGITS = 300
_SIMPLE_ESCAPES = 2
_HEX_ESCAPES = {"x": 4, "u": 6, "U": 10}
_BREAK = re.compile(r"\r\n|\r|\n")

Chars = list[tuple[str, int, int]]
"""Decoded characters, each with its range of code points in the file."""


def plain_value(text: str) -> Scalar:
    """A plain scalar by the core schema of YAML 1.2. ValueError for a number of more than `MAX_DIGITS` digits."""
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if text[0] not in "-+.0123456789":
        return text
    return _number(text)


def _number(text: str) -> Scalar:
    if _DECIMAL_INTEGER.fullmatch(text) or _BASED_INTEGER.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise ValueError(f"expected a number of at most {MAX_DIGITS} digits")
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", "", 1))
    return float("nan") if text in _NOT_A_NUMBER else text


def source_span(text: str, node: ScalarNode, span: Span) -> Span:
    """The part of the file that holds the characters `[span)` of the decoded `node.text`."""
    chars = written_chars(text, node)
    if chars is None:
        return node.span
    start, end = min(span[0], len(chars)), min(span[1], len(chars))
    if start >= end:
        here = chars[start][1] if start < len(chars) else _end_of(text, node, chars)
        return here, here
    return chars[start][1], chars[end - 1][2]


def written_chars(text: str, node: ScalarNode) -> Chars | None:
    """Every character of `node.text` with its range in the file; None when the ranges cannot be determined."""
    start, end = node.span
    match node.style:
        case "plain":
            chars = _flow(text, start, end, "")
        case "single":
            chars = _flow(text, start + 1, end - 1, "'")
        case "double":
            chars = _flow(text, start + 1, end - 1, '"')
        case "literal":
            chars = _literal(text, node)
        case "folded":
            chars = _folded(text, node)
    return chars if "".join(char for char, _, _ in chars) == node.text else None


def _end_of(text: str, node: ScalarNode, chars: Chars) -> int:
    if chars:
        return chars[-1][2] if chars[-1][0] != "\n" or node.style not in ("literal", "folded") else chars[-1][1]
    return node.span[0] if node.style == "plain" else min(node.span[0] + 1, len(text))


def _flow(text: str, start: int, end: int, quote: str) -> Chars:
    """Plain and quoted scalars: line breaks fold, spaces around them are dropped, quotes and escapes are decoded."""
    chars: Chars = []
    at = start
    kept = 0  # this many characters end in an escape: folding does not strip their spaces
    while at < end:
        char = text[at]
        if char in "\r\n":
            at = _fold(text, at, end, chars, kept)
        elif quote == "'" and char == "'":
            chars.append(("'", at, at + 2))
            at += 2
        elif quote == '"' and char == "\\":
            at = _escape(text, at, end, chars)
            kept = len(chars)
        else:
            chars.append((char, at, at + 1))
            at += 1
    return chars


def _fold(text: str, at: int, end: int, chars: Chars, kept: int) -> int:
    while len(chars) > kept and chars[-1][0] in " \t":
        chars.pop()
    first = at
    breaks: list[int] = []
    while at < end and text[at] in " \t\r\n":
        if text[at] in "\r\n":
            breaks.append(at)
            at += 2 if text.startswith("\r\n", at) else 1
        else:
            at += 1
    if len(breaks) == 1:
        chars.append((" ", first, first + 1))
    else:
        chars.extend(("\n", place, place + 1) for place in breaks[1:])
    return at


def _escape(text: str, at: int, end: int, chars: Chars) -> int:
    letter = text[at + 1 : at + 2]
    if letter in ("\r", "\n"):
        return _joined_line(text, at + 1, end, chars)
    length = _HEX_ESCAPES.get(letter, _SIMPLE_ESCAPES)
    if letter in _HEX_ESCAPES:
        chars.append((chr(int(text[at + 2 : at + length], 16)), at, at + length))
    else:
        chars.append((_ESCAPED.get(letter, letter), at, at + length))
    return at + length


_ESCAPED = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip


def _joined_line(text: str, at: int, end: int, chars: Chars) -> int:
    """A line break after a backslash: dropped with the spaces that follow; empty lines after it are kept."""
    at += 2 if text.startswith("\r\n", at) else 1
    while at < end and text[at] in " \t\r\n":
        if text[at] in "\r\n":
            chars.append(("\n", at, at + 1))
            at += 2 if text.startswith("\r\n", at) else 1
        else:
            at += 1
    return at


def _body(text: str, node: ScalarNode) -> list[Span]:
    """The lines below a block scalar's indicator, without line breaks."""
    start, end = node.span
    header = _BREAK.search(text, start)
    lines: list[Span] = []
    if header is None or header.end() > end:
        return lines
    at = header.end()
    for found in _BREAK.finditer(text, at):
        if found.start() >= end:
            break
        lines.append((at, found.start()))
        at = found.end()
    if at < end:
        lines.append((at, min(end, len(text))))
    return lines


def _literal(text: str, node: ScalarNode) -> Chars:
    chars: Chars = []
    decoded = node.text.split("\n")
    body = _body(text, node)
    for index, line in enumerate(decoded):
        if index >= len(body):
            break
        start, end = body[index]
        chars.extend((char, end - len(line) + at, end - len(line) + at + 1) for at, char in enumerate(line))
        if index < len(decoded) - 1:
            chars.append(("\n", max(start, end), end + 1))
    return chars


def _folded(text: str, node: ScalarNode) -> Chars:
    body = _body(text, node)
    indent = _indent(text, node, body)
    chars: Chars = []
    breaks: list[int] = []
    previous_spaced: bool | None = None  # None before the first line with something on it
    for start, end in body:
        content = start + indent
        if content >= end:
            breaks.append(end)
            continue
        spaced = text[content] in " \t"
        _breaks_between(chars, breaks, previous_spaced, spaced)
        chars.extend((text[at], at, at + 1) for at in range(content, end))
        breaks = [end]
        previous_spaced = spaced
    missing = len(node.text) - len(chars)
    chars.extend(("\n", at, at + 1) for at in breaks[: max(missing, 0)])
    return chars


def _breaks_between(chars: Chars, breaks: list[int], before: bool | None, after: bool) -> None:
    """Line breaks between two lines of a folded block; all are kept next to a line that starts with a space."""
    if before is None or before or after:
        chars.extend(("\n", at, at + 1) for at in breaks)
    elif len(breaks) == 1:
        chars.append((" ", breaks[0], breaks[0] + 1))
    else:
        chars.extend(("\n", at, at + 1) for at in breaks[1:])


def _indent(text: str, node: ScalarNode, body: list[Span]) -> int:
    """How many columns of a block's lines are indentation, computed from the first line of its decoded text."""
    shown = node.text.lstrip("\n")
    decoded_blanks = len(shown) - len(shown.lstrip(" "))
    for start, end in body:
        line = text[start:end]
        if line.strip(" "):
            return max(len(line) - len(line.lstrip(" ")) - decoded_blanks, 0)
    return 0
