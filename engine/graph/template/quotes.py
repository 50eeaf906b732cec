"""Values must stand where SQL expects a value: inside quotes, the value's own quotes would end them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from .errors import TemplateFailedError

_OPAQUE: Final = re.compile(
    r"(?P<line>--[^\n]*)|(?P<block>/\*.*?(?:\*/|\Z))|(?P<escaped>[eE]'(?:\\.|''|[^'\\])*(?:'|\Z))"
    r"|(?P<text>'(?:''|[^'])*(?:'|\Z))|(?P<name>\"(?:\"\"|[^\"])*(?:\"|\Z))|\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)",
    re.DOTALL,
)
_GLUE: Final = re.compile(r"[\w$&@]")

Value = tuple[int, int, tuple[int, int]]
"""Where a value stands in the SQL, `[start, end)`, and its expression in the template."""


def check_quotes(sql: str, values: Sequence[Value]) -> None:
    """Raises `TemplateFailedError` for the first value that is not a SQL value of its own where it stands."""
    opaque = [(match.start(), match.end(), match.lastgroup) for match in _OPAQUE.finditer(sql)]
    index = 0
    for start, end, origin in values:
        if start == end:
            continue
        while index < len(opaque) and opaque[index][1] <= start:
            index += 1
        inside = index < len(opaque) and opaque[index][0] < start
        kind, last = (opaque[index][2], opaque[index][1]) if inside else (None, 0)
        if kind in ("line", "block"):
            text = sql[start:end]
            if end > last or "/*" in text or "*/" in text:
                raise TemplateFailedError("this value would end the comment that it stands in", origin, code="E421")
            continue
        if inside:
            raise TemplateFailedError("a value inside quotes", origin, code="E421")
        _check_neighbours(sql, start, end, origin)


def _check_neighbours(sql: str, start: int, end: int, origin: tuple[int, int]) -> None:
    before, after = sql[start - 1 : start], sql[end : end + 1]
    if _GLUE.match(before) or _GLUE.match(after):
        raise TemplateFailedError("a value that touches a word", origin, code="E421")
    if after in ("'", '"') and sql[end - 1] == after:
        raise TemplateFailedError("a value inside quotes", origin, code="E421")
