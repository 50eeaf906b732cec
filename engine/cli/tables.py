"""Rows for a terminal and for programs."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

WIDEST = 60


def text_table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Aligned columns under their names. Long values are cut, control characters are shown as dots."""
    shown = [[_cell(value) for value in row] for row in rows]
    heads = [_cut(name) for name in names]
    widths = [max([_width(head), *(_width(row[index]) for row in shown)]) for index, head in enumerate(heads)]
    numeric = [bool(shown) and all(_is_number(row[index]) for row in shown) for index in range(len(heads))]
    lines = [_line(heads, widths, numeric), "  ".join("-" * width for width in widths)]
    lines += [_line(row, widths, numeric) for row in shown]
    return "\n".join(line.rstrip() for line in lines)


def plain_value(value: object) -> Any:
    """A value as JSON can hold it: instants in ISO form, exact numbers as text."""
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    if isinstance(value, bytes | bytearray):
        return value.hex()
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if isoformat is not None else str(value)


def json_line(value: object) -> str:
    """One JSON document on one line."""
    return json.dumps(plain_value(value), ensure_ascii=False, separators=(", ", ": "))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    plain = plain_value(value)
    return _cut(plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False))


def _cut(text: str) -> str:
    clean = "".join("·" if unicodedata.category(character) == "Cc" else character for character in text)
    return clean if len(clean) <= WIDEST else clean[: WIDEST - 1] + "…"


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    parts = []
    for cell, width, right in zip(cells, widths, numeric, strict=True):
        gap = " " * (width - _width(cell))
        parts.append(gap + cell if right else cell + gap)
    return "  ".join(parts)


def _is_number(text: str) -> bool:
    return text == "" or text.lstrip("-").replace(".", "", 1).isdigit()


def _width(text: str) -> int:
    return sum(
        2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
        if not unicodedata.combining(character)
    )
