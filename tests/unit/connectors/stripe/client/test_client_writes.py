"""Writes that fail: all tries together decide whether the outcome is unknown."""

from __future__ import annotations

import asyncio

import pytest

from engine.connectors.stripe.client import Client, Key, RetryPolicy, WriteFailedError, open_key
from tests.support.stripe.http_server import Asked, Reply, problem, serving
from tests.unit.connectors.stripe.client.test_client import SECRET, Clock, settings

CUT = Reply(reset=True)
LIMIT = problem(429, "slow down", code="rate_limit")
LOCK = problem(429, "in use", code="lock_timeout")


def is_unknown(*replies: Reply) -> bool:
    """Whether the outcome of a write with these answers (the last one repeated) is unknown."""
    left = list(replies)

    def answer(_: Asked) -> Reply:
        return left.pop(0) if len(left) > 1 else left[0]

    async def run(url: str) -> None:
        found = settings(url)
        key = open_key(found, {"K": SECRET})
        assert isinstance(key, Key)
        async with Client(found, key, None, RetryPolicy(tries=4, rate_seconds=5), Clock().timing()) as client:
            await client.write("post", "/v1/customers", {"name": "Ann"}, "key-1")

    with serving(answer) as server:
        with pytest.raises(WriteFailedError) as caught:
            asyncio.run(run(server.url))
        assert {asked.headers["idempotency-key"] for asked in server.asked} == {"key-1"}
        assert len(server.asked) >= len(replies)
    return caught.value.unknown


@pytest.mark.parametrize("last", [problem(401, "no key"), problem(403, "not allowed"), LIMIT, LOCK, CUT])
def test_rejection_after_a_lost_response_leaves_the_outcome_unknown(last: Reply) -> None:
    assert is_unknown(CUT, last)
    assert is_unknown(problem(500, "it broke"), last)


@pytest.mark.parametrize("last", [problem(401, "no key"), problem(403, "not allowed"), LIMIT, LOCK, problem(400, "no")])
def test_write_that_was_only_rejected_was_not_made(last: Reply) -> None:
    assert not is_unknown(last)


def test_refusal_of_the_request_shows_that_no_try_succeeded() -> None:
    assert not is_unknown(CUT, problem(400, "no such parameter"))
