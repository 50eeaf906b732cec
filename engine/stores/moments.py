"""Instants as the run state keeps them: whole microseconds since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def instant(value: datetime) -> int:
    """An aware instant as microseconds."""
    return (value - EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """Microseconds as an aware instant."""
    return EPOCH + timedelta(microseconds=value)
