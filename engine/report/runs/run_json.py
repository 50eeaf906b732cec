"""Events of a run for programs: one JSON document per line."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from engine.run import Event, RunEnded, RunStarted, TaskEnded, TaskProgressed, TaskStarted

from ..masking import masked

_NAMES: Final = {
    RunStarted: "run_started",
    TaskStarted: "task_started",
    TaskProgressed: "task_progressed",
    TaskEnded: "task_ended",
    RunEnded: "run_ended",
}


def render_event_json(event: Event) -> str:
    """The event on one line: its kind in `event`, then its fields."""
    written = {field.name: _plain(getattr(event, field.name)) for field in fields(event)}
    return json.dumps({"event": _NAMES[type(event)], **written}, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return dict(value) if hasattr(value, "keys") else value
