"""When an interface is due: intervals, cron expressions in time zones, and clock changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest

from engine.app.serving.timetable import jitter_of, next_due
from engine.spec import ScheduleSpec
from tests.support.clock import BEGIN, HOUR, MINUTE, at


def cron(expression: str, zone: str = "UTC") -> ScheduleSpec:
    return ScheduleSpec(cron=expression, timezone=zone)


def due_times(schedule: ScheduleSpec, after: datetime) -> Iterator[datetime]:
    """The due times after `after`, in order."""
    while True:
        after = next_due(schedule, after, after)
        yield after


def days(schedule: ScheduleSpec, after: str, number: int) -> list[str]:
    return [f"{due:%m-%dT%H:%M}" for due in islice(due_times(schedule, at(after)), number)]


def test_interval_counts_from_the_previous_due_time() -> None:
    every = ScheduleSpec.model_validate({"every": "15m"})
    assert next_due(every, BEGIN) == BEGIN + 15 * MINUTE
    assert next_due(every, BEGIN + 2 * MINUTE, BEGIN) == BEGIN + 15 * MINUTE
    assert next_due(every, BEGIN + 15 * MINUTE, BEGIN) == BEGIN + 30 * MINUTE
    assert next_due(every, BEGIN + timedelta(days=3, minutes=1), BEGIN) == BEGIN + timedelta(days=3, minutes=15)


def test_cron_expression_is_read_in_its_time_zone() -> None:
    assert days(cron("30 6 * * 1-5", "Asia/Tokyo"), "01-01T00:00", 3) == ["01-01T21:30", "01-04T21:30", "01-05T21:30"]
    assert days(cron("@daily", "America/New_York"), "01-01T00:00", 2) == ["01-01T05:00", "01-02T05:00"]


def test_cron_time_in_a_skipped_hour_is_due_at_its_end() -> None:
    """Berlin, 29 March 2026: 02:00 is 03:00, which is 01:00 in UTC."""
    assert days(cron("30 2 * * *", "Europe/Berlin"), "03-27T12:00", 3) == ["03-28T01:30", "03-29T01:00", "03-30T00:30"]


def test_cron_time_in_a_repeated_hour_is_due_once() -> None:
    """Berlin, 25 October 2026: 03:00 is 02:00 again, at 01:00 in UTC."""
    assert days(cron("30 2 * * *", "Europe/Berlin"), "10-23T12:00", 3) == ["10-24T00:30", "10-25T00:30", "10-26T01:30"]


def test_cron_every_half_hour_ignores_clock_changes() -> None:
    for zone in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe"):
        found = list(islice(due_times(cron("*/30 * * * *", zone), BEGIN), 48 * 310))
        steps = {after - before for before, after in pairwise(found)}
        assert steps == {30 * MINUTE}, zone


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Sao_Paulo"])
def test_daily_cron_is_due_once_on_each_day_of_a_year(zone: str) -> None:
    found = list(islice(due_times(cron("30 2 * * *", zone), BEGIN), 365))
    assert len({due.astimezone(ZoneInfo(zone)).date() for due in found}) == 365


@pytest.mark.parametrize("expression", ["30 2 * * *", "0 * * * *", "*/7 1-3 * * *", "15 2 * * SUN"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_due_time_is_the_next_one_a_second_before_it(expression: str, zone: str) -> None:
    """The scheduler recognizes due times of a previous schedule by this property."""
    schedule = cron(expression, zone)
    for due in islice(due_times(schedule, BEGIN), 400):
        assert next_due(schedule, due - timedelta(seconds=1)) == due


def test_jitter_is_deterministic_and_spread_over_its_range() -> None:
    schedule = ScheduleSpec.model_validate({"every": "1h", "jitter": "10m"})
    found = [jitter_of(schedule, f"flow_{number}", BEGIN) for number in range(200)]
    assert found == [jitter_of(schedule, f"flow_{number}", BEGIN) for number in range(200)]
    assert min(found) < MINUTE
    assert 9 * MINUTE < max(found) < 10 * MINUTE
    assert len({jitter_of(schedule, "a", BEGIN + number * HOUR) for number in range(50)}) == 50
    assert jitter_of(ScheduleSpec.model_validate({"every": "1h"}), "a", BEGIN) == timedelta()
