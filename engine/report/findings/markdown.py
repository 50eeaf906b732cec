"""Findings as Markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from .located import Located, tally

MOST_CHARACTERS = 60_000
"""Slightly below the size limit of a comment; findings that do not fit are counted."""


def render_markdown(found: Sequence[Located]) -> str:
    """A table with one row per finding, cut at `MOST_CHARACTERS`."""
    lines = [f"**weir validate**: {tally(found)}", ""]
    if found:
        lines += ["| where | code | finding |", "|---|---|---|"]
    size = sum(len(line) + 1 for line in lines)
    for index, item in enumerate(found):
        hint = f"<br>{cell(item.hint)}" if item.hint else ""
        where = f"`{cell(item.where)}`" if item.where else ""
        row = f"| {where} | {item.severity} {item.code} | {cell(item.message)}{hint} |"
        if size + len(row) > MOST_CHARACTERS - 100:
            lines += ["", f"… and {len(found) - index} more"]
            break
        lines.append(row)
        size += len(row) + 1
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """Text escaped for a cell of a table."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", "<br>")
