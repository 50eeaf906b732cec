"""Findings for a terminal: the line, a caret under the position, and what to do."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from engine.diagnostics import Severity, plural
from engine.source import Region

from .located import Located, tally

_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.NOTE: "1;36"}
_TAB = "    "
_MOST_LINES = 4
_WIDEST = 160


def render_text(found: Sequence[Located], *, colour: bool = False) -> str:
    """All findings with excerpts, and a closing line."""
    painter = _Painter(colour)
    blocks = [_block(item, painter) for item in found]
    return "\n\n".join([*blocks, tally(found)]) + "\n"


class _Painter:
    """Wraps text in ANSI colours if they are enabled."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour and text else text


def _block(item: Located, paint: _Painter) -> str:
    style = _COLOURS[item.severity]
    lines = [f"{paint(style, f'{item.severity}[{item.code}]')}{paint('1', f': {item.message}')}"]
    regions = [region for region in (item.region, *(region for region, _ in item.labels)) if region]
    gutter = max((len(str(region.end_line)) for region in regions), default=1)
    if item.region:
        lines += _excerpt(item.region, gutter, "-->", "^", style, "", paint)
    for region, text in item.labels:
        lines += _excerpt(region, gutter, ":::", "-", "1;34", text, paint)
    margin = " " * gutter + " "
    if item.hint:
        lines.append(f"{margin}{paint('1;34', '=')} {paint('1', 'help')}: {item.hint}")
    for fix, _ in item.fixes:
        if fix.replacement and fix.replacement in (item.hint or ""):
            continue
        lines.append(f"{margin}{paint('1;34', '=')} {paint('1', 'fix')}: {fix.title}")
    return "\n".join(lines)


def _excerpt(region: Region, gutter: int, arrow: str, mark: str, style: str, text: str, paint: _Painter) -> list[str]:
    bar = paint("1;34", f"{'':>{gutter}} |")
    place = f"{region.file}:{region.start_line}:{region.start_column}"
    lines = [f"{'':>{gutter}} {paint('1;34', arrow)} {place}"]
    if not any(region.lines):  # a whole file: there is no line to show
        return lines
    lines.append(bar)
    shown = region.lines[:_MOST_LINES]
    for index, line in enumerate(shown):
        number = region.start_line + index
        start = region.start_column - 1 if index == 0 else len(line) - len(line.lstrip())
        end = region.end_column - 1 if number == region.end_line else len(line.rstrip())
        line, start, end = _window(line, start, end)
        lines.append(f"{paint('1;34', f'{number:>{gutter}} |')} {line.replace(chr(9), _TAB)}".rstrip())
        if index == 0 or end > start:
            note = f" {text}" if text and index == len(shown) - 1 else ""
            marks = mark * max(1, _width(line[start:end]))
            lines.append(f"{bar} {' ' * _width(line[:start])}{paint(style, marks + note)}")
    if len(region.lines) > _MOST_LINES:
        lines.append(f"{bar} … {plural(len(region.lines) - _MOST_LINES, 'more line')}")
    return lines


def _window(line: str, start: int, end: int) -> tuple[str, int, int]:
    """The part of a very long line around the marked range."""
    if len(line) <= _WIDEST:
        return line, start, end
    first = max(0, start - _WIDEST // 2)
    part = line[first : first + _WIDEST]
    prefix = "…" if first else ""
    suffix = "…" if first + _WIDEST < len(line) else ""
    shift = len(prefix) - first
    return prefix + part + suffix, start + shift, min(end + shift, len(prefix + part))


def _width(text: str) -> int:
    """Number of terminal columns of `text`."""
    width = 0
    for character in text:
        if character == "\t":
            width += len(_TAB)
        elif not unicodedata.combining(character):
            width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return width
