"""Writes that fail: whether they may have been done, told by all tries together."""

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
    """Whether a write that is answered so (the last answer again and again) may have been done."""
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
def test_a_later_answer_from_the_door_leaves_open_what_the_first_try_has_done(last: Reply) -> None:
    assert is_unknown(CUT, last)
    assert is_unknown(problem(500, "it broke"), last)


@pytest.mark.parametrize("last", [problem(401, "no key"), problem(403, "not allowed"), LIMIT, LOCK, problem(400, "no")])
def test_what_was_only_ever_refused_was_not_done(last: Reply) -> None:
    assert not is_unknown(last)


def test_a_refusal_of_the_request_itself_says_that_no_try_has_done_it() -> None:
    assert not is_unknown(CUT, problem(400, "no such parameter"))
