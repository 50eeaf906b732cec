"""What a save has come to, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from engine.plan import TaskChange

from ..paint import BOLD, DIM, GREEN, RED, YELLOW, Paint, plural

_SHOWN: Final = 8


def render_delta(
    number: int,
    added: Sequence[str],
    changed: Sequence[str],
    removed: Sequence[str],
    changes: Iterable[TaskChange],
    *,
    colour: bool = False,
) -> str:
    """One line for what a generation changes, and one for each task that is another one now."""
    paint = Paint(colour)
    parts = [(GREEN, "new", added), (YELLOW, "changed", changed), (RED, "gone", removed)]
    told = "; ".join(f"{paint(style, word)} {_listed(names)}" for style, word, names in parts if names)
    lines = [f"{paint(BOLD, f'generation {number}')} is live: {told or 'no interface means anything else'}"]
    for change in changes:
        fields = ", ".join(change.fields) if change.fields else change.action
        lines.append(f"  {change.address}: {paint(DIM, fields)}")
    return "\n".join(lines) + "\n"


def render_unchanged(number: int | None, *, colour: bool = False) -> str:
    """That a save has made nothing live."""
    paint = Paint(colour)
    if number is None:
        return paint(RED, "nothing is live: there was no good version yet") + "\n"
    return paint(YELLOW, f"generation {number} stays live") + "\n"


def render_held(held: Sequence[str], *, colour: bool = False) -> str:
    """Which files a new generation has not as they are now."""
    return f"{Paint(colour)(YELLOW, 'held back')}: {_listed(held)} (broken, or they touch what is)\n"


def render_fixed(settings: Sequence[str], *, colour: bool = False) -> str:
    """Which settings wait for the next start."""
    names = _listed([f"`{name}`" for name in settings])
    told = f"{names} of weir.yaml cannot change while this works; weir.yaml counts from the next start on"
    return f"{Paint(colour)(YELLOW, 'not reloaded')}: {told}\n"


def render_pending(digest: str, risks: Sequence[str], *, colour: bool = False) -> str:
    """What waits for somebody, and how it is applied."""
    paint = Paint(colour)
    lines = [f"{paint(YELLOW, 'pending')}: the project is protected, and this puts something at risk"]
    lines += [f"  {risk}" for risk in risks]
    lines.append(f"  {paint(BOLD, f'weir apply {digest[:12]}')} makes it live")
    return "\n".join(lines) + "\n"


def render_cleared(number: int, *, colour: bool = False) -> str:
    """How many findings are mended."""
    return f"{Paint(colour)(GREEN, 'mended')}: {plural(number, 'finding')}\n"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
