"""When an interface is due next: pure, with the clock as an argument."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from zoneinfo import ZoneInfo

from cronsim import CronSim

from engine.spec import ScheduleSpec, cron_fields


def next_due(schedule: ScheduleSpec, after: datetime, last: datetime | None = None) -> datetime:
    """The first moment after `after` (UTC, aware) at which it is due, without jitter.

    `every` counts from `last`, the due time before, so that starts do not drift; moments that have passed are left out.
    A cron expression is read in its time zone: what falls into the hour that a clock change takes out is due at its
    end, and what falls into an hour that comes twice is due once.
    """
    if schedule.every is not None:
        if last is None:
            return after + schedule.every
        behind = max(0, (after - last) // schedule.every)
        return last + (behind + 1) * schedule.every

    zone = ZoneInfo(schedule.timezone)
    found: datetime = next(CronSim(cron_fields(schedule.cron or ""), after.astimezone(zone)))
    return found.astimezone(after.tzinfo)


def jitter_of(schedule: ScheduleSpec, name: str, due: datetime) -> timedelta:
    """How long this start is put off: the same for the same interface and moment, in every process."""
    if schedule.jitter is None:
        return timedelta()
    digest = blake2b(f"{name}\0{due.isoformat()}".encode(), digest_size=8).digest()
    return schedule.jitter * (int.from_bytes(digest) / 2**64)
