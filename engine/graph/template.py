"""SQL boxes are Jinja2 templates: sandboxed, strict, and every value is a literal."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.relation import DATE, TIMESTAMP

from .literals import sql_identifier, sql_literal
from .values import parameter_value

MOST_OUTPUT: Final = 1_000_000
MOST_ITERATIONS: Final = 10_000
_MARKS: Final = re.compile("[\ue000-\ue003]")
_MARK: Final = re.compile("\ue000(\\d+)\ue001|\ue002(\\d+)\ue001|\ue003")
_DYNAMIC: Final = ("{{", "{%", "{#")
_KEPT_FILTERS: Final = (
    "abs", "default", "d", "first", "float", "int", "last", "length", "list", "lower", "max", "min", "replace",
    "reverse", "round", "sort", "string", "sum", "trim", "unique", "upper",
)  # fmt: skip


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

    def origin(self, span: tuple[int, int]) -> tuple[int, int]:
        """The code points of the template that a range of the SQL comes from. A value comes from its expression."""
        if not self.segments:
            return span
        first, _ = self._map(span[0])
        _, last = self._map(max(span[0], span[1] - 1))
        return first, max(last, first)

    def _map(self, offset: int) -> tuple[int, int]:
        index = max(0, bisect_right([segment.start for segment in self.segments], offset) - 1)
        segment = self.segments[index]
        if segment.end is not None:
            return segment.origin, segment.end
        at = segment.origin + offset - segment.start
        return at, at + 1


class TemplateFailedError(Exception):
    """A template that does not render. `span` is in code points of the template, None when it is not known."""

    def __init__(self, message: str, span: tuple[int, int] | None, name: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.name = name


def render(template: str, values: Mapping[str, object]) -> Rendered:
    """The SQL of a box with these values. Raises `TemplateFailedError`."""
    if not any(mark in template for mark in _DYNAMIC):
        return Rendered(template)
    if found := _MARKS.search(template):
        raise TemplateFailedError("this character is reserved", found.span())
    environment = _environment()
    budget = _Budget()
    try:
        marked = _marked(template, environment)
        compiled = environment.from_string(marked, globals={"range": budget.range, **values})
        output = _limited(compiled.generate())
    except TemplateSyntaxError as error:
        raise TemplateFailedError(_tidy(error.message or "syntax error"), _line(template, error.lineno)) from error
    except UndefinedError as error:
        name = _undefined_name(str(error))
        raise TemplateFailedError(_tidy(str(error)), _find(template, name), name) from error
    except (SecurityError, OverflowError) as error:
        raise TemplateFailedError(_tidy(str(error)), None) from error
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise TemplateFailedError(_tidy(str(error)), None) from error
    return _unmarked(output)


class _Budget:
    """Counts loop iterations over one rendering: nested loops share it."""

    def __init__(self) -> None:
        self._left = MOST_ITERATIONS

    def range(self, *arguments: int) -> Iterator[int]:
        """`range`, until the budget is spent."""
        for number in range(*arguments):
            self._left -= 1
            if self._left < 0:
                raise OverflowError(f"more than {MOST_ITERATIONS:,} iterations")
            yield number


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox in which no expression can grow without bound."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Numbers only: a text repeated a billion times is no SQL."""
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            raise SecurityError(f"`{operator}` takes numbers")
        if operator == "**" and (abs(left) > 1_000_000 or abs(right) > 64):
            raise SecurityError("this power is too large")
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Calls with a number above 10,000 are how a short template makes a long text."""
        if any(isinstance(value, int) and abs(value) > MOST_ITERATIONS for value in (*args, *kwargs.values())):
            raise SecurityError(f"an argument above {MOST_ITERATIONS:,}")
        return super().call(context, obj, *args, **kwargs)


@cache
def _environment() -> _Environment:
    environment = _Environment(
        undefined=StrictUndefined, finalize=_finalize, autoescape=False, keep_trailing_newline=True
    )
    kept: dict[str, Callable[..., Any]] = {name: environment.filters[name] for name in _KEPT_FILTERS}
    kept["ident"] = sql_identifier
    kept["timestamp"] = lambda text: parameter_value(text, TIMESTAMP)
    kept["date"] = lambda text: parameter_value(text, DATE)
    environment.filters = kept
    environment.globals = {}
    return environment


def _finalize(value: object) -> str:
    if isinstance(value, StrictUndefined):
        str(value)  # raises UndefinedError with the name
    return sql_literal(value)


def _limited(parts: Iterator[str]) -> str:
    written: list[str] = []
    size = 0
    for part in parts:
        size += len(part)
        if size > MOST_OUTPUT:
            raise OverflowError(f"the rendered SQL is longer than {MOST_OUTPUT:,} characters")
        written.append(part)
    return "".join(written)


def _marked(template: str, environment: _Environment) -> str:
    """The template with marks that survive rendering: where each piece of text and each value comes from."""
    parts: list[str] = []
    at = 0
    for _, kind, value in environment.lexer.tokeniter(template, None):
        start = template.find(value, at)
        if start < 0:  # the lexer changed white space; the rest would be mapped wrongly
            return template
        parts.append(template[at:start])
        at = start + len(value)
        if kind == "data":
            lead = len(value) - len(value.lstrip())
            parts.append(f"{value[:lead]}\ue000{start + lead}\ue001{value[lead:]}" if value.strip() else value)
        elif kind == "variable_begin":
            strips = value.endswith("-")
            parts.append(value if strips else f"\ue002{start}\ue001{value}")
        elif kind == "variable_end":
            parts.append(value if value.startswith("-") else f"{value}\ue003\ue000{at}\ue001")
        else:
            parts.append(value)
    return "".join([*parts, template[at:]])


def _unmarked(output: str) -> Rendered:
    """Take the marks out again and keep what they say."""
    pieces: list[str] = []
    segments: list[_Segment] = []
    length = 0
    at = 0
    value_from: int | None = None
    for mark in _MARK.finditer(output):
        text = output[at : mark.start()]
        pieces.append(text)
        length += len(text)
        at = mark.end()
        if mark[1] is not None:
            origin = int(mark[1])
            if value_from is not None and segments:
                segments[-1] = _Segment(segments[-1].start, value_from, origin)
                value_from = None
            segments.append(_Segment(length, origin, None))
        elif mark[2] is not None:
            value_from = int(mark[2])
            segments.append(_Segment(length, value_from, value_from + 2))
    pieces.append(output[at:])
    return Rendered("".join(pieces), tuple(segments) or (_Segment(0, 0, 0),))


def _tidy(message: str) -> str:
    text = message.rstrip(".").replace("'", "`")
    return text[:1].lower() + text[1:]


def _undefined_name(message: str) -> str | None:
    found = re.match(r"'([^']+)' is undefined", message) or re.search(r"has no attribute '([^']+)'", message)
    return found[1] if found else None


def _find(template: str, name: str | None) -> tuple[int, int] | None:
    """Where a name stands inside `{{ }}` or `{% %}`."""
    if name is None:
        return None
    for block in re.finditer(r"\{\{.*?\}\}|\{%.*?%\}", template, re.DOTALL):
        if found := re.search(rf"\b{re.escape(name)}\b", block[0]):
            return block.start() + found.start(), block.start() + found.end()
    return None


def _line(template: str, number: int) -> tuple[int, int]:
    lines = template.split("\n")
    index = min(max(number, 1), len(lines)) - 1
    start = sum(len(line) + 1 for line in lines[:index])
    text = lines[index]
    return start + len(text) - len(text.lstrip()), start + len(text.rstrip())
