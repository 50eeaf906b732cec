"""Steps over changed rows: the position that they have read, and whether it is still valid."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from engine.connector import MirrorInstant
from engine.graph import Import

from .types import ConnectionSettings

CONNECTION_PART: Final = "connection"
_PARTS: Final = MappingProxyType(
    {
        "box": "the SQL box has changed",
        "write": "the action, the match or the mapping has changed",
        "table": "the definition of its table has changed",
        CONNECTION_PART: "the connection has changed",
    }
)


@dataclass(frozen=True, slots=True)
class Watermark:
    """The inputs of the rows that a step has written: a position of the mirror, and the definitions (`parts`: name and
    hash). `lost`: its table no longer exists."""

    step: str
    run: str
    at: MirrorInstant
    parts: Mapping[str, str]
    lost: bool = False


def parts_of(step: Import, settings: ConnectionSettings) -> dict[str, str]:
    """Hashes of everything that determines the result for an unchanged row: the step's fingerprint, and the system that
    the connection reaches."""
    reached = [settings.connector, settings.api_version, settings.mode, settings.base_url, settings.accounts]
    digest = hashlib.sha256(json.dumps(reached).encode()).hexdigest()
    return {**dict(step.fingerprint), CONNECTION_PART: digest}


def reason_for_all(watermark: Watermark | None, parts: Mapping[str, str], into: str) -> str | None:
    """Why all rows count as changed regardless of the mirror; None if only those since the watermark do."""
    if watermark is None:
        return "the step has not read any yet"
    if watermark.lost:
        return f"the table `{into}` no longer exists"
    for name, text in _PARTS.items():
        if parts.get(name) != watermark.parts.get(name):
            return f"{text} since run {watermark.run}"
    return None


def reason_of_mirror(watermark: Watermark, now: MirrorInstant | None) -> str | None:
    """Why all rows count as changed given the mirror's position; None if it continues from what the step has read."""
    if watermark.at.leads_to(now):
        return None
    if now is not None and now.file == watermark.at.file:
        return f"the mirror is older than the rows that run {watermark.run} read"
    return f"the mirror was rebuilt since run {watermark.run}"


def why_changed(
    step: Import, settings: ConnectionSettings, watermark: Watermark | None, now: MirrorInstant | None
) -> str:
    """A description of the rows that the step would read as changed now, with the reason."""
    reason = reason_for_all(watermark, parts_of(step, settings), step.into)
    if watermark is None:
        return f"all rows: {reason}"
    if reason is None:
        reason = reason_of_mirror(watermark, now)
    if reason is not None:
        return f"rebuild from all rows: {reason}"
    return f"rows changed since {watermark.at.changed_at:%Y-%m-%d %H:%M:%S} UTC, the position of run {watermark.run}"
