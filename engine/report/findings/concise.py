"""Findings on one line each, for editors and grep."""

from __future__ import annotations

from collections.abc import Sequence

from .located import Located


def render_concise(found: Sequence[Located]) -> str:
    """`file:line:column: severity[code]: message (hint)`."""
    lines = []
    for item in found:
        where = f"{item.where}: " if item.where else ""
        hint = f" ({item.hint})" if item.hint else ""
        lines.append(f"{where}{item.severity}[{item.code}]: {item.message}{hint}\n")
    return "".join(lines)
