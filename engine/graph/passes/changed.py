"""Checks where changed rows are read, and which actions they allow."""

from __future__ import annotations

import re

from engine.diagnostics import Collector
from engine.project import ResolvedStep
from engine.spec import WriteSpec

from ..types import Box

_CHANGED = re.compile(r"\bchanged\s*\.", re.IGNORECASE)


def check_changed(step: ResolvedStep, box: Box, collector: Collector) -> bool:
    """Whether the step may read the changed rows that its box reads; if not, the reason is reported."""
    if not box.bound.changed or step.box is None:
        return True
    part = step.spec.part(step.spec.kind)
    found = _CHANGED.search(step.box.text)
    place = step.box.place.within(*found.span()) if found else step.box.place
    tables = ", ".join(f"`changed.{name}`" for name in box.bound.changed)
    if step.spec.kind != "import" or not isinstance(part, WriteSpec):
        message = f"only an import can read {tables}: only imports record what they have read"
        collector.report("E423", message, place, hint=f"use `{box.bound.changed[0]}`")
        return False
    if part.action == "replace":
        message = f"`replace` with {tables} would delete every unchanged row"
        hint = f"use `action: upsert`, or read `{box.bound.changed[0]}`"
        collector.report("E422", message, place, hint=hint)
        return False
    if part.action == "insert" and not part.match and step.table is not None and not step.table.key:
        message = f"`insert` of {tables} requires a key: rows that are read again would be duplicated"
        hint = "add a `key` to the table, such as the id and `_changed_at`"
        collector.report("E422", message, place, hint=hint)
        return False
    return True
