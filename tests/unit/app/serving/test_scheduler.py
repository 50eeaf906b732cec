"""Which starts are due and which are skipped: over hours, years and restarts, and with several servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.app.serving.scheduler import feeders_of
from tests.support.clock import BEGIN, HOUR, MINUTE, MemoryDueTimes, Server, at, interface

HOURLY: dict[str, Any] = {"schedule": {"cron": "0 * * * *"}}


def server(*specs: Any, **fields: Any) -> Server:
    return Server(MemoryDueTimes(), list(specs), **fields)


def test_schedules_over_a_year_start_as_often_as_defined() -> None:
    found = Counter(
        name
        for _, name in server(
            interface("berlin", schedule={"cron": "30 2 * * *", "timezone": "Europe/Berlin"}),
            interface("new_york", schedule={"cron": "30 1 * * *", "timezone": "America/New_York"}),
            interface("monthly", schedule={"cron": "0 6 1 * *", "jitter": "30m"}),
            interface("every", schedule={"every": "8h"}),
            interface("asleep", schedule={"every": "1h"}, is_active=False),
            interface("by_hand"),
        ).until(BEGIN + timedelta(days=365))
    )
    assert found == {"berlin": 365, "new_york": 365, "monthly": 12, "every": 365 * 3 - 1}


def test_interval_schedule_starts_at_each_due_time() -> None:
    made = list(server(interface(schedule={"every": "15m"})).until(BEGIN + HOUR))
    assert [timestamp for timestamp, _ in made] == [BEGIN + number * 15 * MINUTE for number in (1, 2, 3)]


def test_ticks_between_due_times_start_nothing() -> None:
    one = server(interface(**HOURLY))
    starts = [start for second in range(7200) for start in one.tick(BEGIN + timedelta(seconds=second, microseconds=1))]
    assert [start.due for start in starts] == [BEGIN + HOUR]


class TakenMeanwhile(MemoryDueTimes):
    """Another server takes whatever is due between this one's look and its claim."""

    def due(self) -> Mapping[str, datetime]:
        seen = super().due()
        self.known = {name: due + HOUR for name, due in seen.items()}
        return seen


def test_start_that_another_server_claims_first_is_not_made() -> None:
    spec = interface(**HOURLY)
    first = server(spec)
    first.tick()
    beaten = Server(TakenMeanwhile(first.times.known), [spec])
    assert beaten.tick(BEGIN + HOUR) == []
    assert beaten.left == []


def test_jitter_delays_a_start_and_not_the_next_due_time() -> None:
    one = server(interface(schedule={"every": "1h", "jitter": "10m"}))
    made = [timestamp - BEGIN for timestamp, _ in one.until(BEGIN + timedelta(hours=9))]
    assert len(made) == 8
    assert all(number * HOUR < late < number * HOUR + 10 * MINUTE for number, late in enumerate(made, 1))


@pytest.mark.parametrize(("missed", "starts", "left"), [("run", 1, 0), ("skip", 0, 1)])
def test_starts_missed_while_no_server_ran_follow_the_policy(missed: str, starts: int, left: int) -> None:
    spec = interface(schedule={"cron": "0 * * * *", "missed": missed})
    first = server(spec)
    assert first.tick() == []
    second = Server(first.times, [spec], BEGIN + timedelta(hours=50, minutes=5))
    assert len(second.tick()) == starts
    assert len(second.left) == left
    assert [start.due for start in second.tick(BEGIN + 51 * HOUR)] == [BEGIN + 51 * HOUR]
    assert len(second.left) == left


def test_starts_due_while_inactive_count_as_missed() -> None:
    spec = interface(schedule={"cron": "0 * * * *", "missed": "skip"})
    one = server(spec)
    one.tick()
    one.edit(interface(schedule={"cron": "0 * * * *", "missed": "skip"}, is_active=False))
    assert one.tick(BEGIN + 3 * HOUR) == []
    one.edit(spec)
    assert one.tick(BEGIN + timedelta(hours=5, minutes=30)) == []
    assert len(one.left) == 1
    assert len(one.tick(BEGIN + 6 * HOUR)) == 1


def test_edited_schedule_takes_effect_at_once() -> None:
    one = server(interface(schedule={"cron": "0 0 24 12 *"}))
    one.tick()
    one.edit(interface(schedule={"every": "10m"}))
    assert [start.due for start in one.tick(BEGIN + MINUTE) + one.tick(BEGIN + 11 * MINUTE)] == [BEGIN + 11 * MINUTE]
    one.edit(interface(schedule={"cron": "30 * * * *"}))
    assert [timestamp for timestamp, _ in one.until(BEGIN + 2 * HOUR)] == [BEGIN + 30 * MINUTE, BEGIN + 90 * MINUTE]


def test_less_frequent_schedule_does_not_start_at_the_old_due_time() -> None:
    one = server(interface(**HOURLY))
    one.tick()
    one.edit(interface(schedule={"cron": "0 12 * * *"}))
    assert [timestamp for timestamp, _ in one.until(BEGIN + timedelta(days=1))] == [BEGIN + 12 * HOUR]


@pytest.mark.parametrize(("policy", "second", "left"), [("skip", [], 2), ("wait", [1], 0)])
def test_start_due_during_a_run_follows_the_overlap_policy(policy: str, second: list[int], left: int) -> None:
    one = server(interface(**HOURLY, concurrency={"on_overlap": policy}), lasting=True)
    one.tick()
    assert len(one.tick(BEGIN + HOUR)) == 1
    for hours in (2, 3):
        assert one.tick(BEGIN + hours * HOUR) == []
    assert len(one.left) == left
    one.now += MINUTE
    one.end("a")
    assert [len(one.tick())] * len(second) == second
    assert one.tick() == []


@pytest.mark.parametrize(("policy", "starts"), [("skip", 0), ("wait", 1)])
def test_start_due_during_a_run_request_follows_the_overlap_policy(policy: str, starts: int) -> None:
    """A start that waits is queued behind the earlier run requests."""
    one = server(interface(**HOURLY, concurrency={"on_overlap": policy}))
    one.tick()
    one.requested = frozenset({"a"})
    assert len(one.tick(BEGIN + HOUR)) == starts
    assert [left.reason for left in one.left] == ["a run of it still goes on"] * (1 - starts)


def test_retry_waits_for_a_requested_run() -> None:
    one = server(interface(**HOURLY), lasting=True)
    one.tick()
    one.tick(BEGIN + HOUR)
    again = one.end("a", transient=True)
    assert again is not None
    one.requested = frozenset({"a"})
    assert one.tick(again) == []
    one.requested = frozenset()
    assert [start.attempt for start in one.tick(again + MINUTE)] == [1]


def test_start_waits_for_a_requested_run_of_its_feeder() -> None:
    one = server(interface("b", **HOURLY), feeders={"b": frozenset({"a"})})
    one.tick()
    one.requested = frozenset({"a"})
    assert one.tick(BEGIN + HOUR) == []
    one.requested = frozenset()
    assert [start.interface for start in one.tick(BEGIN + HOUR + MINUTE)] == ["b"]


def test_retries_of_a_transient_failure_back_off() -> None:
    one = server(interface(schedule={"cron": "0 0 * * *"}, retry={"times": 3, "wait": "1m"}), lasting=True)
    one.tick()
    attempts = []
    (start,) = one.tick(at("01-02T00:00"))
    for pause in (1, 2, 4):
        again = one.end("a", transient=True)
        assert again == one.now + pause * MINUTE
        assert one.tick(again - timedelta(seconds=1)) == []
        (start,) = one.tick(again)
        attempts.append((start.attempt, start.due))
    assert attempts == [(number, at("01-02T00:00")) for number in (1, 2, 3)]
    assert one.end("a", transient=True) is None
    assert one.tick(one.now + HOUR) == []
    (start,) = one.tick(at("01-03T00:00"))
    assert start.attempt == 0


def test_retry_pauses_grow_up_to_a_day() -> None:
    one = server(interface(schedule={"cron": "0 0 * * *"}, retry={"times": 20, "wait": "300d"}), lasting=True)
    one.tick()
    one.tick(at("01-02T00:00"))
    assert one.end("a", transient=True) == at("01-02T00:00") + timedelta(days=300)
    other = server(interface(schedule={"every": "366d"}, retry={"times": 20, "wait": "1h"}), lasting=True)
    other.tick()
    (start,) = other.tick(BEGIN + timedelta(days=366))
    pauses = []
    for _ in range(20):
        again = other.end("a", transient=True)
        assert again is not None
        pauses.append((again - other.now) / HOUR)
        (start,) = other.tick(again)
    assert start.attempt == 20
    assert pauses == [1, 2, 4, 8, 16, *[24] * 15]


def test_claimed_start_is_made_although_the_store_fails_afterwards() -> None:
    class Breaking(MemoryDueTimes):
        broken = False

        def move_due(self, interface: str, before: datetime | None, after: datetime) -> bool:
            if self.broken and interface == "b":
                raise OSError("no space left on device")
            return super().move_due(interface, before, after)

    times = Breaking()
    one = Server(times, [interface("a", **HOURLY), interface("b", **HOURLY)])
    one.tick()
    times.broken = True
    assert [start.interface for start in one.tick(BEGIN + HOUR)] == ["a"]
    with pytest.raises(OSError, match="no space"):
        one.tick()
    times.broken = False
    assert [start.interface for start in one.tick()] == ["b"]


def test_permanent_failure_is_not_retried() -> None:
    one = server(interface(**HOURLY, retry={"times": 3, "wait": "1m"}), lasting=True)
    one.tick()
    one.tick(BEGIN + HOUR)
    assert one.end("a", transient=False) is None
    assert one.tick(BEGIN + HOUR + 10 * MINUTE) == []


def test_deactivated_interface_is_not_retried() -> None:
    one = server(interface(**HOURLY), lasting=True)
    one.tick()
    one.tick(BEGIN + HOUR)
    again = one.end("a", transient=True)
    assert again is not None
    one.edit(interface(**HOURLY, is_active=False))
    assert one.tick(again) == []
    one.edit(interface(**HOURLY))
    assert one.tick(again + MINUTE) == []


def test_feeders_start_first() -> None:
    chain = {"c": frozenset({"b"}), "b": frozenset({"a"})}
    one = server(*(interface(name, **HOURLY) for name in ("c", "a", "b")), feeders=chain, lasting=True)
    one.tick()
    one.now = BEGIN + HOUR
    for name in ("a", "b", "c"):
        assert [start.interface for start in one.tick()] == [name]
        assert one.tick() == []
        one.end(name)
    assert one.tick() == []


def test_start_waits_for_a_running_feeder() -> None:
    one = server(
        interface("a", schedule={"cron": "0 * * * *"}), interface("b", schedule={"cron": "30 * * * *"}),
        feeders={"b": frozenset({"a"})}, lasting=True,
    )  # fmt: skip
    one.tick(BEGIN + 40 * MINUTE)
    assert len(one.tick(BEGIN + HOUR)) == 1
    assert one.tick(BEGIN + 90 * MINUTE) == []
    one.end("a")
    (start,) = one.tick(BEGIN + 95 * MINUTE)
    assert (start.interface, start.due) == ("b", BEGIN + 90 * MINUTE)


def test_interfaces_that_feed_each_other_start_one_after_the_other() -> None:
    both = {"a": frozenset({"b"}), "b": frozenset({"a"})}
    one = server(interface("a", **HOURLY), interface("b", **HOURLY), feeders=both, lasting=True)
    one.tick()
    assert [start.interface for start in one.tick(BEGIN + HOUR)] == ["a"]
    assert one.tick() == []
    one.end("a")
    assert [start.interface for start in one.tick()] == ["b"]


def test_two_servers_never_make_the_same_start() -> None:
    times = MemoryDueTimes()
    specs = [interface(f"flow_{number}", schedule={"every": f"{7 + number}m", "jitter": "1m"}) for number in range(6)]
    one, other = Server(times, specs), Server(times, specs)
    started: Counter[tuple[str, Any]] = Counter()
    for second in range(0, 6 * 3600, 20):
        now = BEGIN + timedelta(seconds=second)
        for each, late in ((one, 0), (other, 7)) if second % 40 else ((other, 0), (one, 3)):
            started.update((start.interface, start.due) for start in each.tick(now + timedelta(seconds=late)))
    assert set(started.values()) == {1}
    expected = {spec.name: 6 * 60 // (7 + number) for number, spec in enumerate(specs)}
    counts = Counter(name for name, _ in started)
    assert all(0 <= expected[name] - counts[name] <= 1 for name in expected)


def test_feeders_are_derived_from_the_steps() -> None:
    steps = [("a.1", "a", ()), ("b.1", "b", ("a.1",)), ("b.2", "b", ("b.1", "c.1")), ("c.1", "c", ("extract",))]
    assert feeders_of(steps) == {"b": frozenset({"a", "c"})}
