"""A line chart with logarithmic axes as SVG, without a plotting library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from pathlib import Path

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 400, 64, 190, 40, 52
COLOURS = ("#1f6feb", "#d1590a", "#2f8f4e", "#8250df", "#b3261e")


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis from `low` to `high` (powers of ten) along the given number of pixels from `begin`."""

    title: str
    low: int
    high: int
    begin: float
    length: float

    def at(self, value: float) -> float:
        """The position of a value."""
        return self.begin + (log10(value) - self.low) / max(1, self.high - self.low) * self.length


def axis(title: str, values: Sequence[float], begin: float, length: float) -> Axis:
    """An axis that contains the values."""
    return Axis(title, floor(log10(min(values))), ceil(log10(max(values))), begin, length)


def draw(path: Path, title: str, x: str, y: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """Write a chart of these lines, each a name and its points."""
    points = [point for line in lines.values() for point in line]
    across = axis(x, [point[0] for point in points], LEFT, WIDTH - LEFT - RIGHT)
    up = axis(y, [point[1] for point in points], HEIGHT - BOTTOM, TOP + BOTTOM - HEIGHT)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="12" fill="#57606a">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 22, title, 'font-size="14" font-weight="600" fill="#1f2328"'),
        *_grid(across, up),
    ]
    for number, (name, line) in enumerate(lines.items()):
        parts += _line(name, line, across, up, COLOURS[number % len(COLOURS)])
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join((*parts, "</svg>")) + "\n", encoding="utf-8")


def _grid(across: Axis, up: Axis) -> list[str]:
    left, right = across.begin, across.begin + across.length
    bottom, top = up.begin, up.begin + up.length
    parts = []
    for power in range(across.low, across.high + 1):
        place = across.at(10.0**power)
        parts.append(f'<path d="M{place:.1f} {bottom:.1f}V{top:.1f}" stroke="#d8dee4"/>')
        parts.append(_text(place, bottom + 18, _number(power), 'text-anchor="middle"'))
    for power in range(up.low, up.high + 1):
        place = up.at(10.0**power)
        parts.append(f'<path d="M{left:.1f} {place:.1f}H{right:.1f}" stroke="#d8dee4"/>')
        parts.append(_text(left - 8, place + 4, _number(power), 'text-anchor="end"'))
    parts.append(_text((left + right) / 2, bottom + 38, across.title, 'text-anchor="middle"'))
    middle = (bottom + top) / 2
    parts.append(_text(16, middle, up.title, f'text-anchor="middle" transform="rotate(-90 16 {middle:.1f})"'))
    return parts


def _line(name: str, line: Sequence[tuple[float, float]], across: Axis, up: Axis, colour: str) -> list[str]:
    places = [(across.at(x), up.at(y)) for x, y in line]
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    last_x, last_y = places[-1]
    return [
        f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places),
        _text(last_x + 10, last_y + 4, name, f'fill="{colour}"'),
    ]


def _number(power: int) -> str:
    if power < 0:
        return f"{10.0**power:g}"
    return f"{10 ** (power % 3)}{('', ' k', ' M', ' G')[power // 3]}"


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(text)}</text>'
