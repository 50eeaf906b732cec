"""Rows for a terminal and for programs."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

WIDEST = 60
NARROWEST = 12


def text_table(
    names: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    widest: int | None = WIDEST,
    fit: int | None = None,
    least: int = NARROWEST,
) -> str:
    """Aligned columns under their names. Control characters are shown as dots.

    A value longer than `widest` is cut. Where a terminal of `fit` columns is too narrow, the widest columns are cut
    further, but not below `least`, and never the first one, which names the row.
    """
    shown = [[_cut(_cell(value), widest) for value in row] for row in rows]
    heads = [_cut(_clean(name), widest) for name in names]
    widths = [max([_width(head), *(_width(row[index]) for row in shown)]) for index, head in enumerate(heads)]
    if fit is not None:
        widths = _narrowed(widths, fit, least)
        heads, *shown = [
            [_cut(cell, width) for cell, width in zip(row, widths, strict=True)] for row in (heads, *shown)
        ]
    numeric = [bool(shown) and all(_is_number(row[index]) for row in shown) for index in range(len(heads))]
    lines = [_line(heads, widths, numeric), "  ".join("-" * width for width in widths)]
    lines += [_line(row, widths, numeric) for row in shown]
    return "\n".join(line.rstrip() for line in lines)


def text_records(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Each row as lines of `name  value`, for rows that are too wide for a table."""
    heads = [_cut(_clean(name), WIDEST) for name in names]
    width = max(map(_width, heads), default=0)
    lines = []
    for number, row in enumerate(rows, start=1):
        lines.append(f"-- row {number}")
        cells = zip(heads, map(_cell, row), strict=True)
        lines += [f"{head}{' ' * (width - _width(head))}  {cell}".rstrip() for head, cell in cells]
    return "\n".join(lines)


def fits(names: Sequence[str], width: int) -> bool:
    """Whether a table with these columns can be shown in so many columns of a terminal."""
    return len(names) * (NARROWEST + 2) <= width + 2


def _narrowed(widths: Sequence[int], fit: int, least: int) -> list[int]:
    narrowed = list(widths)
    while sum(narrowed) + 2 * (len(narrowed) - 1) > fit:
        index = max(range(1, len(narrowed)), key=lambda at: narrowed[at], default=0)
        if index == 0 or narrowed[index] <= least:
            break
        narrowed[index] -= 1
    return narrowed


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
    return _clean(plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False))


def _clean(text: str) -> str:
    return "".join("·" if unicodedata.category(character) == "Cc" else character for character in text)


def _cut(text: str, widest: int | None) -> str:
    if widest is None or _width(text) <= widest:
        return text
    kept = text[: widest - 1]
    while _width(kept) > widest - 1:
        kept = kept[:-1]
    return kept + "…"


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
