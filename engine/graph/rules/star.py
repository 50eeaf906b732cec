"""`SELECT *` from a connection reads every column: it is slow, and the columns change with every API version."""

from __future__ import annotations

import re

from engine.diagnostics import Collector
from engine.project import Project

_STAR = re.compile(r"\bselect\s+(?:distinct\s+)?(\*)(?!\s*(?:exclude|replace)\b)", re.IGNORECASE)


def check_star(project: Project, collector: Collector) -> None:
    """Warn where an import's box starts with `SELECT *`."""
    for interface in project.interfaces.values():
        for step in interface.steps:
            if step.box is None or step.spec.kind != "import":
                continue
            found = _STAR.match(step.box.text.lstrip())
            if found:
                start = len(step.box.text) - len(step.box.text.lstrip()) + found.start(1)
                message = "`SELECT *` reads every column, and API versions differ in their columns"
                place = step.box.place.within(start, start + 1)
                collector.report("W402", message, place, hint="list the columns that the table needs")
