"""The limiter in virtual time: the rate it allows, the effect of rejections, and how close it gets to a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from math import inf
from typing import Any

import pytest

from engine.connectors.stripe.client import (
    API,
    AdaptiveLimiter,
    Allowance,
    Key,
    MemoryBuckets,
    Settings,
    allowance,
    open_key,
)
from engine.connectors.stripe.client.bucket import Bucket
from tests.support.stripe.stripe_limits import Provider, Wish, rush
from tests.support.stripe.virtual_time import VirtualLoop, in_virtual_time

CHARGES, CUSTOMERS = "GET /v1/charges", "GET /v1/customers"
TABLES = [f"GET /v1/{name}" for name in ("charges", "customers", "invoices", "refunds", "products", "prices")]


def limited(allowed: Allowance, work: Callable[[AdaptiveLimiter, VirtualLoop], Coroutine[Any, Any, None]]) -> None:
    """Run `work` with a new limiter for 16 concurrent requests."""
    loop = VirtualLoop()
    limiter = AdaptiveLimiter(allowed, 16, buckets=MemoryBuckets(), now=loop.time, sleep=asyncio.sleep)
    in_virtual_time(work(limiter, loop), loop)


async def ask(limiter: AdaptiveLimiter, endpoint: str, count: int = 1) -> None:
    """Send this many requests, each answered at once."""

    async def one() -> None:
        async with limiter.slot(endpoint):
            pass

    await asyncio.gather(*(one() for _ in range(count)))


def kept(url: str = API, key: str = "sk_test_x", secret: str = "env", **changes: Any) -> Allowance:
    """The allowance of a connection."""
    settings = Settings("v", (secret, "K"), url, **changes)
    found = open_key(Settings("v", ("env", "K")), {"K": key})
    assert isinstance(found, Key)
    return allowance(settings, found)


def test_default_allowance_leaves_room_for_production() -> None:
    assert kept(key="sk_live_x").total == 80
    assert kept(key="sk_test_x").total == 20
    assert kept("http://127.0.0.1:1", key="rk_live_x").total == 80, "a proxy before Stripe is possible"
    assert kept("http://127.0.0.1:1", secret="sandbox").total == inf
    assert kept(key="sk_test_x", requests_per_second=100.0).total == 100
    assert kept("http://127.0.0.1:1", secret="sandbox", requests_per_second=5.0).total == 5


def test_endpoint_limits_apply_from_the_start_only_at_stripe() -> None:
    assert kept().of(CHARGES) == (25, 25)
    assert kept().of("search") == (20, 20)
    assert kept(key="sk_live_x", requests_per_second=400.0).of(CHARGES) == (25, 400), "limits that Stripe has raised"
    assert kept(key="sk_live_x", requests_per_second=90.0).of(CHARGES) == (25, 25)
    assert kept("http://127.0.0.1:1", requests_per_second=400.0).of(CHARGES) == (inf, inf)


def test_limiter_keeps_the_rate() -> None:
    async def work(limiter: AdaptiveLimiter, loop: VirtualLoop) -> None:
        await ask(limiter, CHARGES, 9)
        assert loop.time() == pytest.approx(1004.0)

    limited(Allowance(2.0), work)


def test_burst_after_a_pause_is_small() -> None:
    async def work(limiter: AdaptiveLimiter, loop: VirtualLoop) -> None:
        await ask(limiter, CHARGES, 8)
        assert loop.time() == 1000.0
        await ask(limiter, CHARGES, 100)
        assert loop.time() == pytest.approx(1001.0, abs=0.02)

    limited(Allowance(100.0), work)


def test_limiter_of_a_stopped_process_does_not_release_a_burst() -> None:
    async def work(limiter: AdaptiveLimiter, loop: VirtualLoop) -> None:
        timestamps: list[float] = []

        async def one() -> None:
            async with limiter.slot(CHARGES):
                timestamps.append(loop.time())

        waiting = [asyncio.create_task(one()) for _ in range(60)]
        await asyncio.sleep(0.1)
        before = len(timestamps)
        loop.moment += 0.3
        await asyncio.gather(*waiting)
        assert len(timestamps) == 60
        at_once = sum(timestamp < 1000.41 for timestamp in timestamps[before:])
        assert at_once <= 10, "what a provider may have saved up in the meantime"
        assert timestamps[-1] <= 1000.95

    loop = VirtualLoop()
    limiter = AdaptiveLimiter(Allowance(100.0), 60, buckets=MemoryBuckets(), now=loop.time, sleep=asyncio.sleep)
    in_virtual_time(work(limiter, loop), loop)


def test_request_waiting_for_an_endpoint_does_not_delay_others() -> None:
    async def work(limiter: AdaptiveLimiter, loop: VirtualLoop) -> None:
        slow = asyncio.gather(*(ask(limiter, CHARGES) for _ in range(11)))
        await asyncio.sleep(0)
        await ask(limiter, CUSTOMERS)
        assert loop.time() == 1000.0
        await slow
        assert loop.time() == pytest.approx(1010.0)

    limited(Allowance(100.0, endpoint=1.0), work)


def test_searches_share_one_rate() -> None:
    async def work(limiter: AdaptiveLimiter, loop: VirtualLoop) -> None:
        await ask(limiter, "search", 5)
        assert loop.time() == pytest.approx(1002.0)

    limited(Allowance(100.0, endpoint=100.0, search=2.0), work)


@pytest.mark.parametrize(
    ("reason", "others_wait", "same_waits"),
    [
        ("global-rate", True, True),
        ("endpoint-rate", False, True),
        ("resource-specific", False, False),
        ("global-concurrency", False, False),
        ("endpoint-concurrency", False, False),
        ("", True, True),
        ("a reason of the future", True, True),
    ],
)
def test_rejection_delays_requests_by_its_reason(reason: str, others_wait: bool, same_waits: bool) -> None:
    async def work(limiter: AdaptiveLimiter, loop: VirtualLoop) -> None:
        limiter.rejected(CHARGES, reason, 7.0, asked=False)
        await ask(limiter, CUSTOMERS)
        assert (loop.time() > 1000.0) is others_wait
        await ask(limiter, CHARGES)
        assert (loop.time() > 1000.0) is same_waits
        assert loop.time() < 1001.0, "every request waits only briefly, whatever the pause of the rejected one is"

    limited(Allowance(100.0), work)


@pytest.mark.parametrize("reason", ["global-rate", "global-concurrency"])
def test_retry_after_delays_all_requests(reason: str) -> None:
    async def work(limiter: AdaptiveLimiter, loop: VirtualLoop) -> None:
        early = asyncio.create_task(ask(limiter, CHARGES, 12))
        await asyncio.sleep(0)
        limiter.rejected(CHARGES, reason, 30.0, asked=True)
        limiter.rejected(CHARGES, reason, 5.0, asked=True)
        await ask(limiter, CUSTOMERS)
        assert 1030.0 <= loop.time() <= 1031.3
        await early
        assert loop.time() >= 1030.0, "also those that had been granted an earlier time"

    limited(Allowance(10.0), work)


def test_room_shrinks_with_rejections_and_grows_with_responses() -> None:
    async def work(limiter: AdaptiveLimiter, loop: VirtualLoop) -> None:
        busy = [limiter.slot(CHARGES) for _ in range(16)]
        for slot in busy:
            await slot.__aenter__()
        for _ in range(5):
            limiter.rejected(CHARGES, "global-concurrency", 0.1, asked=False)
        assert limiter.room() == 12, "a burst counts once"
        for slot in busy:
            await slot.__aexit__(None, None, None)
        for _ in range(20):
            await asyncio.sleep(5)
            limiter.rejected(CHARGES, "global-concurrency", 0.1, asked=False)
        assert limiter.room() == 1, "never less than one"
        assert limiter.room(CHARGES) == 16, "the endpoint was not named"
        for _ in range(3000):
            async with limiter.slot(CHARGES):
                await asyncio.sleep(0.01)
        assert limiter.room() == 16, "never more than the connection allows"

    limited(Allowance(10_000.0), work)


def test_concurrency_limit_of_an_endpoint_leaves_others_alone() -> None:
    provider, limiters = rush(
        [Wish([CHARGES, CUSTOMERS])], 20, lambda loop: Provider(loop.time, endpoint_at_once=3), latency=0.1
    )
    assert limiters[0].room() == 16
    assert limiters[0].room(CHARGES) < 6
    assert provider.rate(5, 20) > 0.8 * 2 * 3 / 0.1
    assert provider.reasons["endpoint-concurrency"] < 0.1 * len(provider.answered)


def test_concurrency_converges_to_the_limit() -> None:
    provider, _ = rush([Wish([CHARGES])], 40, lambda loop: Provider(loop.time, at_once=5), latency=0.1)
    assert provider.rate(5, 40) > 0.9 * 5 / 0.1
    late = [timestamp for timestamp in provider.refused if timestamp >= 1010.0]
    assert len(late) < 0.05 * len(provider.answered)


def test_later_clients_get_a_share_of_the_concurrency() -> None:
    provider, _ = rush(
        [Wish([CHARGES]), Wish([CUSTOMERS], begin=20.0)], 80, lambda loop: Provider(loop.time, at_once=10), latency=0.1
    )
    assert provider.rate(40, 80) > 0.85 * 10 / 0.1
    assert min(provider.rate(40, 80, client=0), provider.rate(40, 80, client=1)) > 0.15 * 10 / 0.1


def test_learned_concurrency_outlives_a_client() -> None:
    loop = VirtualLoop()
    buckets = MemoryBuckets()

    def make() -> AdaptiveLimiter:
        return AdaptiveLimiter(Allowance(), 16, buckets=buckets, now=loop.time, sleep=asyncio.sleep)

    first = make()
    for _ in range(20):
        first.rejected(CHARGES, "global-concurrency", 0.1, asked=False)
        loop.moment += 1
    assert make().room() <= 2
    loop.moment += 60
    assert make().room() == 16
    loop.close()


@pytest.mark.parametrize("latency", [0.001, 0.02, 0.1])
@pytest.mark.parametrize("saved", [0.1, 1.0])
def test_several_tables_reach_an_unknown_total_rate(latency: float, saved: float) -> None:
    provider, _ = rush(
        [Wish(TABLES[:4])], 40, lambda loop: Provider(loop.time, total=100.0, saved=saved), latency=latency
    )
    assert provider.rate(0, 40) >= 95
    assert provider.rate(10, 40) >= 97
    assert sum(provider.reasons.values()) < 0.02 * len(provider.answered)


@pytest.mark.parametrize("latency", [0.005, 0.05, 0.1])
@pytest.mark.parametrize("total", [25.0, 80.0, 200.0])
def test_limit_that_counts_by_the_second_is_found(latency: float, total: float) -> None:
    provider, _ = rush(
        [Wish(TABLES[:4], workers=40)],
        30,
        lambda loop: Provider(loop.time, total=total, saved=1.0, by_second=True),
        latency=latency,
    )
    assert provider.rate(0, 30) >= 0.9 * total
    assert provider.rate(10, 30) >= 0.9 * total
    late = [timestamp for timestamp in provider.refused if timestamp >= 1010.0]
    assert len(late) < 0.02 * len(provider.answered)


def test_known_limit_that_counts_by_the_second_is_rarely_hit() -> None:
    provider, _ = rush(
        [Wish(TABLES[:4], allowed=Allowance(100.0))],
        30,
        lambda loop: Provider(loop.time, total=100.0, saved=1.0, by_second=True),
    )
    assert provider.rate(0, 30) >= 95
    assert sum(provider.reasons.values()) < 0.01 * len(provider.answered)


@pytest.mark.parametrize("latency", [0.005, 0.1])
def test_limit_without_burst_does_not_reduce_the_rate_to_zero(latency: float) -> None:
    provider, _ = rush([Wish([CHARGES])], 60, lambda loop: Provider(loop.time, total=25.0, saved=0.0), latency=latency)
    assert provider.rate(30, 60) >= 0.5 * 25
    assert sum(provider.reasons.values()) < 0.2 * len(provider.answered)


@pytest.mark.parametrize("pause", [0.0, 0.3, 1.0])
def test_rejection_after_an_idle_pause_reduces_the_rate_little(pause: float) -> None:
    bucket = Bucket(rate=100.0, peak=100.0, rejected=1000.0, patience=2.0, gain=0.01, began=1000.0)
    for step in range(1, 1000):
        now = 1000 + step / 100
        bucket.reserve(now, inf)
        bucket.answered(1, now)
    bucket.reserve(1010 + pause, inf)
    bucket.reject(1010 + pause, inf, 0.1, asked=False)
    assert 95 <= bucket.rate <= 101


@pytest.mark.parametrize("saved", [0.1, 1.0])
def test_limit_that_is_lowered_is_kept(saved: float) -> None:
    def make(loop: VirtualLoop) -> Provider:
        provider = Provider(loop.time, total=100.0, saved=saved)
        loop.call_at(1020.0, setattr, provider, "total", 40.0)
        return provider

    provider, _ = rush([Wish(TABLES[:4])], 50, make)
    assert provider.rate(30, 50) >= 36
    late = [timestamp for timestamp in provider.refused if timestamp >= 1030.0]
    assert len(late) < 0.1 * 20 * 40


@pytest.mark.parametrize("latency", [0.001, 0.1])
@pytest.mark.parametrize("saved", [0.1, 1.0])
def test_one_table_reaches_the_unknown_limit_of_its_endpoint(latency: float, saved: float) -> None:
    provider, _ = rush(
        [Wish([CHARGES])], 60, lambda loop: Provider(loop.time, endpoint=25.0, saved=saved), latency=latency
    )
    assert provider.rate(0, 60) >= 0.95 * 25
    assert sum(provider.reasons.values()) < 0.05 * len(provider.answered)


def test_total_and_endpoint_limits_are_reached_together() -> None:
    provider, _ = rush([Wish(TABLES)], 40, lambda loop: Provider(loop.time, total=100.0, endpoint=25.0))
    assert provider.rate(2, 40) >= 96


def test_known_limit_is_never_hit() -> None:
    provider, _ = rush([Wish(TABLES, allowed=Allowance(100.0))], 30, lambda loop: Provider(loop.time, total=100.0))
    assert provider.rate(0, 30) >= 99
    assert not provider.reasons


def test_retry_after_pauses_cost_little_throughput() -> None:
    provider, _ = rush(
        [Wish(TABLES[:4])], 90, lambda loop: Provider(loop.time, total=100.0, saved=1.0), retry_after=1.0
    )
    assert provider.rate(0, 90) >= 90
    assert sum(provider.reasons.values()) < 0.02 * len(provider.answered)


def test_limit_that_is_raised_is_found() -> None:
    def make(loop: VirtualLoop) -> Provider:
        provider = Provider(loop.time, total=20.0)
        loop.call_at(1030.0, setattr, provider, "total", 80.0)
        return provider

    provider, _ = rush([Wish(TABLES[:4])], 90, make)
    assert 19 <= provider.rate(10, 30) <= 21
    assert provider.rate(70, 90) >= 75


def test_raised_endpoint_limit_is_found() -> None:
    provider, _ = rush(
        [Wish([CHARGES], allowed=Allowance(400.0, 25.0, 20.0, 400.0))],
        60,
        lambda loop: Provider(loop.time, endpoint=100.0, saved=1.0),
    )
    assert provider.rate(0, 2) <= 27
    assert provider.rate(30, 60) >= 90


@pytest.mark.parametrize("begin", [0.0, 10.0])
def test_clients_of_one_key_share_fairly(begin: float) -> None:
    provider, _ = rush(
        [Wish([CHARGES], allowed=Allowance(50.0)), Wish([CUSTOMERS], allowed=Allowance(50.0), begin=begin)],
        30,
        lambda loop: Provider(loop.time, total=50.0),
    )
    assert provider.rate(15, 30) >= 49
    assert provider.rate(15, 30, client=0) == pytest.approx(25, abs=1)
    assert provider.rate(15, 30, client=1) == pytest.approx(25, abs=1)
    assert not provider.reasons


def test_large_client_does_not_starve_a_small_one() -> None:
    small, large = Wish([CHARGES], workers=1, allowed=Allowance(50.0)), Wish([CUSTOMERS], allowed=Allowance(50.0))
    provider, _ = rush([small, large], 20, lambda loop: Provider(loop.time, total=50.0))
    assert provider.rate(5, 20, client=0) >= 2


def test_rate_learned_by_one_client_applies_to_a_later_one() -> None:
    provider, _ = rush(
        [Wish([CHARGES]), Wish([CUSTOMERS], begin=20.0)], 40, lambda loop: Provider(loop.time, total=60.0)
    )
    assert provider.rate(0, 40) >= 57
    late = provider.rate(20, 22)
    assert late >= 55, "the second client does not begin with a burst"


def test_cancelled_wait_frees_its_place() -> None:
    async def work(limiter: AdaptiveLimiter, loop: VirtualLoop) -> None:
        for _ in range(20):
            limiter.rejected(CHARGES, "global-concurrency", 0.1, asked=False)
            await asyncio.sleep(1)
        async with limiter.slot(CHARGES):
            waiting = [asyncio.create_task(ask(limiter, CHARGES)) for _ in range(3)]
            await asyncio.sleep(0.1)
            waiting[0].cancel()
            waiting[1].cancel()
            await asyncio.gather(*waiting[:2], return_exceptions=True)
        await waiting[2]
        await ask(limiter, CHARGES, 3)
        hold = asyncio.create_task(ask(limiter, CHARGES, 10))
        limiter.rejected(CHARGES, "global-rate", 50.0, asked=True)
        await asyncio.sleep(1)
        hold.cancel()
        await asyncio.gather(hold, return_exceptions=True)
        await ask(limiter, CHARGES)
        assert loop.time() < 1100.0

    limited(Allowance(1000.0), work)
