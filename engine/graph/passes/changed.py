"""Where changed rows can be read, and what can be done with them."""

from __future__ import annotations

import re

from engine.diagnostics import Collector
from engine.project import ResolvedStep
from engine.spec import WriteSpec

from ..types import Box

_CHANGED = re.compile(r"\bchanged\s*\.", re.IGNORECASE)


def check_changed(step: ResolvedStep, box: Box, collector: Collector) -> bool:
    """Whether the step can do with the changed rows that its box reads; why it cannot is reported."""
    if not box.bound.changed or step.box is None:
        return True
    part = step.spec.part(step.spec.kind)
    found = _CHANGED.search(step.box.text)
    place = step.box.place.within(*found.span()) if found else step.box.place
    tables = ", ".join(f"`changed.{name}`" for name in box.bound.changed)
    if step.spec.kind != "import" or not isinstance(part, WriteSpec):
        message = f"only an import can read {tables}: it remembers what it has seen"
        collector.report("E423", message, place, hint=f"read `{box.bound.changed[0]}`")
        return False
    if part.action == "replace":
        message = f"`replace` with {tables} would delete every row that has not changed"
        hint = f"write `action: upsert`, or read `{box.bound.changed[0]}`"
        collector.report("E422", message, place, hint=hint)
        return False
    if part.action == "insert" and not part.match and step.table is not None and not step.table.key:
        message = f"`insert` of {tables} needs a key: rows that are read again would be there twice"
        hint = "give the table a `key` that a row keeps, such as its id and `_changed_at`"
        collector.report("E422", message, place, hint=hint)
        return False
    return True
