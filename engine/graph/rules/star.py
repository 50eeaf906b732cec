"""`SELECT *` from Stripe brings every column: slow to read, and another set of columns with every API version."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from engine.diagnostics import Collector
from engine.project import Project

from ..types import SCHEMA_NAMESPACE, Import, Respond, StopIf

_STAR = re.compile(r"\bselect\s+(?:distinct\s+)?(\*)(?!\s*(?:exclude|replace)\b)", re.IGNORECASE)


def check_star(
    project: Project, steps: Mapping[str, Sequence[Import | StopIf | Respond]], collector: Collector
) -> None:
    """Warn where an import's box begins with `SELECT *` over a connection's table."""
    del project
    for own in steps.values():
        for step in own:
            if not isinstance(step, Import) or not any(r.namespace != SCHEMA_NAMESPACE for r in step.box.bound.reads):
                continue
            found = _STAR.match(step.box.sql.lstrip())
            if found:
                start = len(step.box.sql) - len(step.box.sql.lstrip()) + found.start(1)
                message = "`SELECT *` reads every column, and other ones with every API version"
                place = step.box.place.within(start, start + 1)
                collector.report("W402", message, place, hint="name the columns that the table takes")
