"""A box that reads the clock or a random number is not deterministic: its plan does not determine its result."""

from __future__ import annotations

import re

from engine.diagnostics import Collector
from engine.project import Project

_CALL = re.compile(
    r"\b(now|current_date|current_timestamp|current_time|today|random|uuid|gen_random_uuid|get_current_timestamp)\b"
    r"(?:\s*\(|(?<=current_date)|(?<=current_timestamp)|(?<=current_time))",
    re.IGNORECASE,
)
_TEXT = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


def check_determinism(project: Project, collector: Collector) -> None:
    """Warn of calls such as `now()` in the boxes of imports and transforms."""
    for interface in project.interfaces.values():
        for step in interface.steps:
            if step.box is None or step.spec.kind not in ("import", "transform"):
                continue
            found = _CALL.search(_TEXT.sub(lambda text: " " * len(text[0]), step.box.text))
            if found:
                message = f"`{found[1].lower()}` makes this box non-deterministic"
                hint = "use a parameter (`track: true` records the last run), or ignore this if it is intended"
                collector.report("W403", message, step.box.place.within(*found.span(1)), hint=hint)
