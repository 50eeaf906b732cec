"""Timestamps as the run state stores them: whole microseconds since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(value: datetime) -> int:
    """An aware timestamp as microseconds since `EPOCH`."""
    return (value - EPOCH) // _MICROSECOND


def from_microseconds(value: int) -> datetime:
    """Microseconds since `EPOCH` as an aware timestamp."""
    return EPOCH + timedelta(microseconds=value)
