"""Describes what a step that writes to a provider will do."""

from __future__ import annotations

from typing import Final

from engine.connector import Effect
from engine.graph import Call, Export, ExportAction

EFFECTS: Final = {
    Effect.MONEY: "may move money",
    Effect.FINAL: "cannot be undone",
    Effect.MESSAGE: "sends a message",
    Effect.DATA: "changes data",
    Effect.TEST: "available in test mode only",
    Effect.NONE: "has no lasting effect",
}


def why_export(step: Export) -> str:
    """How rows are matched with objects, and what happens to each."""
    by = ", ".join(f"{each.path} = {each.source}" for each in step.match)
    what = {
        ExportAction.INSERT: "creates missing objects, keeps existing ones",
        ExportAction.UPDATE: "updates objects that differ, skips rows without an object",
        ExportAction.UPSERT: "creates missing objects, updates objects that differ",
        ExportAction.DELETE: "deletes the objects of these rows",
    }
    gone = "" if step.on_missing == "keep" else f"; objects whose row no longer exists: {step.on_missing}"
    return f"matches objects by {by}; {what[step.action]}{gone}"


def why_call(step: Call) -> str:
    """How often the function is called."""
    if step.key:
        return f"once per {', '.join(step.key)}; a successful call is never repeated"
    return "once per row; a successful call is never repeated with the same values"
