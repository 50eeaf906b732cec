"""Request limits of the API."""

from __future__ import annotations

from engine.api.limits import Buckets


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_bucket_allows_a_burst_and_then_the_rate() -> None:
    clock = Clock()
    buckets = Buckets(per_minute=60, burst=3, clock=clock)
    assert [buckets.take("a") for _ in range(4)] == [None, None, None, 1]
    clock.now += 1
    assert [buckets.take("a") for _ in range(2)] == [None, 1]


def test_idle_bucket_is_never_fuller_than_its_burst() -> None:
    clock = Clock()
    buckets = Buckets(per_minute=60, burst=2, clock=clock)
    buckets.take("a")
    clock.now += 3_600
    assert [buckets.take("a") for _ in range(3)] == [None, None, 1]


def test_each_key_has_its_own_bucket() -> None:
    buckets = Buckets(per_minute=6, burst=1, clock=Clock())
    assert [buckets.take("a"), buckets.take("b"), buckets.take("a")] == [None, None, 10]


def test_empty_for_takes_nothing_from_the_bucket() -> None:
    buckets = Buckets(per_minute=6, burst=1, clock=Clock())
    assert [buckets.empty_for("a") for _ in range(3)] == [None] * 3
    buckets.take("a")
    assert buckets.empty_for("a") == 10


def test_buckets_forget_the_oldest_of_too_many_keys() -> None:
    buckets = Buckets(per_minute=6, burst=1, clock=Clock())
    for number in range(10_100):
        buckets.take(str(number))
    assert len(buckets._levels) == 10_000
    assert buckets.take("10099") is not None
    assert buckets.take("0") is None
