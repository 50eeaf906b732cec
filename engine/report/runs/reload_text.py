"""The effect of a save, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from engine.diagnostics import plural
from engine.plan import TaskChange

from ..paint import BOLD, DIM, GREEN, RED, YELLOW, Paint

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
    """One line for the generation, and one for each task that changed."""
    paint = Paint(colour)
    parts = [(GREEN, "new", added), (YELLOW, "changed", changed), (RED, "removed", removed)]
    listed = "; ".join(f"{paint(style, word)} {_listed(names)}" for style, word, names in parts if names)
    lines = [f"{paint(BOLD, f'generation {number}')} is active: {listed or 'no interface changed'}"]
    for change in changes:
        fields = ", ".join(change.fields) if change.fields else change.action
        lines.append(f"  {change.address}: {paint(DIM, fields)}")
    return "\n".join(lines) + "\n"


def render_unchanged(number: int | None, *, colour: bool = False) -> str:
    """The line for a save that activated nothing."""
    paint = Paint(colour)
    if number is None:
        return paint(RED, "nothing is active: there is no valid version yet") + "\n"
    return paint(YELLOW, f"generation {number} stays active") + "\n"


def render_inactive(files: Sequence[str], *, colour: bool = False) -> str:
    """The files whose current version is not part of the new generation."""
    return f"{Paint(colour)(YELLOW, 'not activated')}: {_listed(files)} (invalid, or related to an invalid file)\n"


def render_fixed(settings: Sequence[str], *, colour: bool = False) -> str:
    """The settings that take effect only after a restart."""
    names = _listed([f"`{name}`" for name in settings])
    return f"{Paint(colour)(YELLOW, 'not reloaded')}: restart to apply the change of {names} in weir.yaml\n"


def render_pending(digest: str, risks: Sequence[str], *, colour: bool = False) -> str:
    """A pending change with its risks, and the command that activates it."""
    paint = Paint(colour)
    lines = [f"{paint(YELLOW, 'pending')}: the project is protected, and the change carries risk"]
    lines += [f"  {risk}" for risk in risks]
    lines.append(f"  activate it with {paint(BOLD, f'weir apply {digest[:12]}')}")
    return "\n".join(lines) + "\n"


def render_cleared(number: int, *, colour: bool = False) -> str:
    """The number of findings that were fixed."""
    return f"{Paint(colour)(GREEN, 'fixed')}: {plural(number, 'finding')}\n"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
