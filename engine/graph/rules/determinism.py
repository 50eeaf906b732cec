"""A box that asks for the time or a random number gives other rows each time: its plan says nothing of its result."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from engine.diagnostics import Collector
from engine.project import Project

from ..types import Import, Respond, StopIf

_CALL = re.compile(
    r"\b(now|current_date|current_timestamp|current_time|today|random|uuid|gen_random_uuid|get_current_timestamp)\b"
    r"(?:\s*\(|(?<=current_date)|(?<=current_timestamp)|(?<=current_time))",
    re.IGNORECASE,
)
_TEXT = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


def check_determinism(
    project: Project, steps: Mapping[str, Sequence[Import | StopIf | Respond]], collector: Collector
) -> None:
    """Warn of calls such as `now()` in the boxes of imports."""
    del project
    for own in steps.values():
        for step in own:
            if not isinstance(step, Import):
                continue
            found = _CALL.search(_TEXT.sub(lambda text: " " * len(text[0]), step.box.sql))
            if found:
                message = f"`{found[1].lower()}` makes this box give other rows each time it runs"
                hint = "use a parameter (`track: true` remembers the last run), or leave it, if that is meant"
                collector.report("W403", message, step.box.place, hint=hint)
