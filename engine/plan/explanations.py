"""What a step that writes to a provider will do, in words."""

from __future__ import annotations

from typing import Final

from engine.connector import Effect
from engine.graph import Call, Export, ExportAction

EFFECTS: Final = {
    Effect.MONEY: "may move money",
    Effect.FINAL: "cannot be undone",
    Effect.MESSAGE: "somebody gets a message",
    Effect.DATA: "changes data",
    Effect.TEST: "exists in test mode only",
    Effect.NONE: "changes nothing that lasts",
}


def why_export(step: Export) -> str:
    """How rows and objects are brought together, and what happens to which."""
    by = ", ".join(f"{each.path} = {each.source}" for each in step.match)
    what = {
        ExportAction.INSERT: "rows without an object get one, others are left alone",
        ExportAction.UPDATE: "objects that differ are changed, rows without one are left out",
        ExportAction.UPSERT: "rows without an object get one, objects that differ are changed",
        ExportAction.DELETE: "the objects of these rows are deleted",
    }
    gone = "" if step.on_missing == "keep" else f"; an object whose row is gone: {step.on_missing}"
    return f"objects are found by {by}; {what[step.action]}{gone}"


def why_call(step: Call) -> str:
    """How often the function is called."""
    if step.key:
        return f"once for each {', '.join(step.key)}: a call that succeeded is never made again"
    return "once for each row: a call that succeeded is never made again with the same values"
