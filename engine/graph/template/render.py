"""SQL boxes are Jinja2 templates: sandboxed, strict, and every value is a literal."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .errors import TemplateFailedError
from .quotes import check_quotes

if TYPE_CHECKING:
    from .environment import TemplateEnvironment

MOST_OUTPUT: Final = 1_000_000
MOST_MARKS: Final = 50_000
_MARK: Final = re.compile(r"\0([DVB])(\d+):(\d+)\0")
_DYNAMIC: Final = ("{{", "{%", "{#")
_LINE_END: Final = re.compile(r"\r\n|\r")
_QUOTED_NAME: Final = re.compile(r"'([^']+)'")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Segment:
    """A piece of the output from `start` on: text of the template at `origin`, or the value of `[origin, end)`."""

    start: int
    origin: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Rendered:
    """The SQL of a box, and where each of its characters comes from."""

    sql: str
    segments: tuple[_Segment, ...] = ()
    line_ends: tuple[int, ...] = ()
    """Where the template, with `\\n` at the end of each line, lost a `\\r`."""

    def origin(self, span: Span) -> Span:
        """The code points of the template that a range of the SQL comes from. A value comes from its expression."""
        if not self.segments:
            return span
        first, _ = self._map(span[0])
        _, last = self._map(max(span[0], span[1] - 1))
        return self.written((first, max(last, first)))

    def written(self, span: Span) -> Span:
        """A range of the template with `\\n` line ends, in the template as it was written."""
        start, end = (each + bisect_right(self.line_ends, each) for each in span)
        return start, end

    def _map(self, offset: int) -> Span:
        index = max(0, bisect_right([segment.start for segment in self.segments], offset) - 1)
        segment = self.segments[index]
        if segment.end is not None:
            return segment.origin, segment.end
        at = segment.origin + offset - segment.start
        return at, at + 1


@dataclass(frozen=True, slots=True)
class _TemplateToken:
    kind: str
    text: str
    span: Span


def render(template: str, values: Mapping[str, object]) -> Rendered:
    """The SQL of a box with these values. Raises `TemplateFailedError`."""
    if not any(mark in template for mark in _DYNAMIC):
        return Rendered(template)
    text, line_ends = _with_line_feeds(template)
    frame = Rendered("", (), line_ends)
    try:
        sql, segments = _rendered(text, values)
    except TemplateFailedError as failure:
        span = frame.written(failure.span) if failure.span else None
        raise TemplateFailedError(failure.message, span, failure.name, failure.code) from failure
    return Rendered(sql, segments, line_ends)


def _with_line_feeds(template: str) -> tuple[str, tuple[int, ...]]:
    """Jinja knows only `\\n`. Returns the text and where a character went missing (offsets in the new text)."""
    if "\r" not in template:
        return template, ()
    lost: list[int] = []
    for found in _LINE_END.finditer(template):
        if found[0] == "\r\n":
            lost.append(found.start() - len(lost) + 1)
    return _LINE_END.sub("\n", template), tuple(lost)


_TOO_DEEP: Final = (RecursionError, SyntaxError, MemoryError)
"""What Jinja2, and Python for the code that Jinja2 makes, say of expressions in hundreds of brackets."""


def _rendered(template: str, values: Mapping[str, object]) -> tuple[str, tuple[_Segment, ...]]:
    # Jinja2 costs 50 ms to import: only projects with templates pay for it.
    from jinja2 import TemplateSyntaxError, meta

    from .environment import template_environment

    if (found := template.find("\0")) >= 0:
        raise TemplateFailedError("a NUL character", (found, found + 1))
    environment = template_environment()
    tokens: list[_TemplateToken] = []
    try:
        tokens = _tokens(template, environment)
        tree = environment.checked(_marked(tokens))
        names = meta.find_undeclared_variables(tree) - {*values, *environment.globals}
        if names:
            raise _unknown_name(names, tokens)
        generated = environment.from_string(tree, globals=dict(values)).generate()
    except TemplateSyntaxError as error:
        raise _syntax_error(error, template, tokens, environment) from error
    except _TOO_DEEP as error:
        raise TemplateFailedError("it is nested too deep", None) from error
    output = _joined(generated, tokens)
    sql, segments = _unmarked(output)
    ends = [*(segment.start for segment in segments[1:]), len(sql)]
    placed = [
        (segment.start, end, (segment.origin, segment.end))
        for segment, end in zip(segments, ends, strict=True)
        if segment.end is not None
    ]
    check_quotes(sql, placed)
    return sql, segments


def _tokens(template: str, environment: TemplateEnvironment) -> list[_TemplateToken]:
    """The template's tokens with their places. White space that a `-` strips belongs to no token."""
    tokens = []
    at = 0
    for _, kind, text in environment.lexer.tokeniter(template, None):
        start = template.index(text, at)
        at = start + len(text)
        tokens.append(_TemplateToken(kind, text, (start, at)))
    return tokens


def _marked(tokens: Sequence[_TemplateToken]) -> str:
    """The template with marks that survive rendering: `D` before text, `V` before a value, `B` around a tag.

    NUL cannot stand in a value (a literal refuses it), so nobody can forge a mark. Tags lose their `-`, which the lexer
    has obeyed already; comments go.
    """
    parts: list[str] = []
    for index, token in enumerate(tokens):
        start, end = token.span
        match token.kind:
            case "data":
                parts.append(f"\0D{start}:{end}\0{token.text}")
            case "variable_begin":
                _, last = _end_of_tag(tokens, index).span
                parts.append(f"\0V{start}:{last}\0{{{{")
            case "variable_end":
                parts.append("}}")
            case "block_begin":
                _, last = _end_of_tag(tokens, index).span
                parts.append(f"\0B{start}:{last}\0{{%")
            case "block_end":
                parts.append(f"%}}\0B{start}:{end}\0")
            case "raw_begin":
                parts.append("{% raw %}")
            case "raw_end":
                parts.append("{% endraw %}")
            case kind if kind.startswith("comment"):
                continue
            case _:
                parts.append(token.text)
    return "".join(parts)


def _end_of_tag(tokens: Sequence[_TemplateToken], index: int) -> _TemplateToken:
    """The token that closes the tag which begins at `index`, or the last one."""
    for token in tokens[index:]:
        if token.kind in ("variable_end", "block_end"):
            stripped = token.text.rstrip()
            return _TemplateToken(token.kind, stripped, (token.span[0], token.span[0] + len(stripped)))
    return tokens[-1]


def _joined(parts: Iterator[str], tokens: Sequence[_TemplateToken]) -> str:
    """What the template writes. A failure lands on the tag that was being worked on."""
    from jinja2 import TemplateError, UndefinedError

    written: list[str] = []
    size = marks = 0
    last: Span | None = None
    try:
        for part in parts:
            size += len(part)
            for mark in _MARK.finditer(part):
                marks += 1
                size -= len(mark[0])
                last = int(mark[2]), int(mark[3])
            if size > MOST_OUTPUT:
                raise OverflowError(f"the rendered SQL is longer than {MOST_OUTPUT:,} characters")
            if marks > MOST_MARKS:
                raise OverflowError("too many iterations of its loops")
            written.append(part)
    except UndefinedError as error:
        name = _missing_name(str(error))
        raise TemplateFailedError(_tidy(str(error)), _within(tokens, last, name), name) from error
    except (
        TemplateError,
        TypeError,
        ValueError,
        ArithmeticError,
        LookupError,
        AttributeError,
        RecursionError,
    ) as error:
        raise TemplateFailedError(_tidy(str(error)), last) from error
    return "".join(written)


def _unmarked(output: str) -> tuple[str, tuple[_Segment, ...]]:
    """Take the marks out again and keep what they say."""
    pieces: list[str] = []
    segments: list[_Segment] = []
    length = at = 0
    for mark in _MARK.finditer(output):
        piece = output[at : mark.start()]
        pieces.append(piece)
        length += len(piece)
        at = mark.end()
        if mark[1] == "D":
            segments.append(_Segment(length, int(mark[2]), None))
        elif mark[1] == "V":
            segments.append(_Segment(length, int(mark[2]), int(mark[3])))
    pieces.append(output[at:])
    return "".join(pieces), tuple(segments) or (_Segment(0, 0, 0),)


def _unknown_name(names: set[str], tokens: Sequence[_TemplateToken]) -> TemplateFailedError:
    """The first name of the template that nothing declares."""
    for index, token in enumerate(tokens):
        before = next((each.text for each in reversed(tokens[:index]) if each.kind != "whitespace"), "")
        if token.kind == "name" and token.text in names and before not in (".", "|", "is"):
            return TemplateFailedError(f"`{token.text}` is undefined", token.span, token.text)
    name = min(names)
    return TemplateFailedError(f"`{name}` is undefined", None, name)


def _syntax_error(
    error: Exception, template: str, tokens: Sequence[_TemplateToken], environment: TemplateEnvironment
) -> TemplateFailedError:
    """The error on its tag, if its line has only one, otherwise on its line.

    The marked template may have fewer lines than the one that was written, which is therefore read again.
    """
    from jinja2 import TemplateSyntaxError

    try:
        environment.checked(template)
    except TemplateSyntaxError as again:
        error = again
    except _TOO_DEEP:
        return TemplateFailedError("it is nested too deep", None)
    number = getattr(error, "lineno", None) or 1
    message = getattr(error, "message", None) or "syntax error"
    line = _line(template, number)
    tags = [
        (token.span[0], _end_of_tag(tokens, index).span[1])
        for index, token in enumerate(tokens)
        if token.kind in ("variable_begin", "block_begin")
    ]
    touching = [tag for tag in tags if tag[0] < line[1] and tag[1] > line[0]]
    span = touching[0] if len(touching) == 1 else line
    if message.startswith(("no filter", "No test named")):
        quoted = _QUOTED_NAME.search(message)
        span = _within(tokens, span, quoted[1] if quoted else None) or span
    return TemplateFailedError(_tidy(message), span)


def _within(tokens: Sequence[_TemplateToken], span: Span | None, name: str | None) -> Span | None:
    """Where a name stands inside a tag, or the tag."""
    if span is None or name is None:
        return span
    for token in tokens:
        if token.kind == "name" and token.text == name and span[0] <= token.span[0] < span[1]:
            return token.span
    return span


def _tidy(message: str) -> str:
    text = message.strip().rstrip(".").replace("'", "`")
    return text[:1].lower() + text[1:]


def _missing_name(message: str) -> str | None:
    found = re.match(r"'([^']+)' is undefined", message) or re.search(r"has no attribute '([^']+)'", message)
    return found[1] if found else None


def _line(template: str, number: int) -> Span:
    lines = template.split("\n")
    index = min(max(number, 1), len(lines)) - 1
    start = sum(len(line) + 1 for line in lines[:index])
    text = lines[index]
    return start + len(text) - len(text.lstrip()), start + len(text.rstrip())
