"""The page of a code."""

from __future__ import annotations

from engine.diagnostics import CODES, closest


def explain(code: str) -> str | None:
    """The page of `code` in Markdown (case-insensitive), or None for an unknown code."""
    found = CODES.get(code.upper())
    if found is None:
        return None
    return f"# {found.id}: {found.title}\n\n{found.page.strip()}\n"


def similar_codes(code: str) -> list[str]:
    """Existing codes that are similar to an unknown one."""
    return closest(code.upper(), CODES)
