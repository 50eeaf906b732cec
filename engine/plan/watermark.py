"""Steps that read changed rows only: what they have seen, and whether that still counts."""

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
    """What the rows that a step has written were made of: the mirror at an instant, and the definitions (`parts`: name
    and hash). `lost` says that its table is not there any more."""

    step: str
    run: str
    at: MirrorInstant
    parts: Mapping[str, str]
    lost: bool = False


def parts_of(step: Import, settings: ConnectionSettings) -> dict[str, str]:
    """What decides what a row that has not changed becomes: the step's fingerprint, and whom the connection reaches."""
    reached = [settings.connector, settings.api_version, settings.mode, settings.base_url, settings.accounts]
    digest = hashlib.sha256(json.dumps(reached).encode()).hexdigest()
    return {**dict(step.fingerprint), CONNECTION_PART: digest}


def reason_for_all(watermark: Watermark | None, parts: Mapping[str, str], into: str) -> str | None:
    """Why all rows count as changed, whatever the mirror is; None when those since the watermark do."""
    if watermark is None:
        return "the step has not seen any yet"
    if watermark.lost:
        return f"the table `{into}` is not there any more"
    for name, text in _PARTS.items():
        if parts.get(name) != watermark.parts.get(name):
            return f"{text} since run {watermark.run}"
    return None


def reason_of_mirror(watermark: Watermark, now: MirrorInstant | None) -> str | None:
    """Why all rows of the mirror count as changed, as it is now; None when it goes on from what the step has seen."""
    if watermark.at.leads_to(now):
        return None
    if now is not None and now.file == watermark.at.file:
        return f"the mirror is older than what run {watermark.run} has seen"
    return f"the mirror was made anew since run {watermark.run}"


def why_changed(
    step: Import, settings: ConnectionSettings, watermark: Watermark | None, now: MirrorInstant | None
) -> str:
    """Which rows the step would see as changed now, and why, in words."""
    reason = reason_for_all(watermark, parts_of(step, settings), step.into)
    if watermark is None:
        return f"all rows: {reason}"
    if reason is None:
        reason = reason_of_mirror(watermark, now)
    if reason is not None:
        return f"rebuild from all rows: {reason}"
    return f"rows changed since {watermark.at.changed_at:%Y-%m-%d %H:%M:%S} UTC, which run {watermark.run} has seen"
