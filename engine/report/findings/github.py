"""Findings as annotations of a GitHub workflow."""

from __future__ import annotations

from collections.abc import Sequence

from engine.diagnostics import Severity

from .located import Located

MOST_A_KIND = 10
"""Maximum number of annotations of a kind that GitHub shows per step."""

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render_github(found: Sequence[Located]) -> str:
    """Workflow commands. The last annotation of a kind counts those that GitHub would drop."""
    lines: list[str] = []
    for severity, command in _COMMANDS.items():
        kind = [item for item in found if item.severity is severity]
        shown = kind if len(kind) <= MOST_A_KIND else kind[: MOST_A_KIND - 1]
        lines += [_annotation(command, item) for item in shown]
        if left := len(kind) - len(shown):
            lines.append(f"::{command} title=weir::{left} more of this kind are not shown: see the log of this step")
    return "".join(f"{line}\n" for line in lines)


def _annotation(command: str, item: Located) -> str:
    properties = {"title": f"{item.code} {item.title}"}
    if item.region:
        properties |= {
            "file": item.region.file,
            "line": str(item.region.start_line),
            "col": str(item.region.start_column),
            "endLine": str(item.region.end_line),
        }
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    message = item.message + (f"\n{item.hint}" if item.hint else "")
    return f"::{command} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
