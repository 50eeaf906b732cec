"""The client's writes against a real server: one key for all tries, and the certainty after each failure."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest

from engine.connector import FailureKind
from engine.connectors.stripe.client import Answer, Client, RetryPolicy, WriteFailedError, open_key
from engine.connectors.stripe.client.settings import Key
from tests.support.stripe.http_server import Reply, Server, problem, reply, serving
from tests.unit.connectors.stripe.client.test_client import SECRET, Clock, settings

CUT = Reply(reset=True)
DONE = reply({"id": "cus_1"})
LOCKED = problem(429, "held", code="lock_timeout")
LIMITED = problem(429, "slowly", code="rate_limit")


def refusal(status: int) -> Reply:
    return problem(status, "no")


def replies(*given: Reply) -> AbstractContextManager[Server]:
    """A server that gives these replies in turn and repeats the last one."""
    left = itertools.chain(given, itertools.repeat(given[-1]))
    return serving(lambda _: next(left))


def write(server: Server, method: str = "post", tries: int = 3) -> Answer:
    made = settings(server.url)
    key = open_key(made, {"K": SECRET})
    assert isinstance(key, Key)

    async def send() -> Answer:
        policy = RetryPolicy(tries=tries, rate_seconds=20)
        async with Client(made, key, policy=policy, timing=Clock().timing()) as client:
            return await client.write(method, "/v1/customers", {"name": "Ada", "metadata[a]": ""}, "key-1")

    return asyncio.run(send())


def failed(*given: Reply, tries: int = 3) -> WriteFailedError:
    with replies(*given) as server, pytest.raises(WriteFailedError) as caught:
        write(server, tries=tries)
    return caught.value


def test_write_retries_repeat_key_and_body() -> None:
    with replies(CUT, refusal(500), LIMITED, LOCKED, refusal(409), DONE) as server:
        assert write(server, tries=9).body == DONE.body
        asked = server.asked
    assert len(asked) == 6
    assert {each.headers["idempotency-key"] for each in asked} == {"key-1"}
    assert {each.body for each in asked} == {b"name=Ada&metadata[a]="}


@pytest.mark.parametrize("status", [400, 402, 404])
def test_refused_write_has_a_known_outcome(status: int) -> None:
    assert not failed(refusal(status)).unknown
    assert not failed(CUT, refusal(status)).unknown, "what was done is answered as it was then"


@pytest.mark.parametrize("last", [refusal(401), refusal(403), LOCKED, LIMITED])
def test_write_rejected_before_processing_leaves_earlier_tries_unknown(last: Reply) -> None:
    assert not failed(last).unknown
    assert failed(CUT, last).unknown
    assert failed(refusal(500), last).unknown
    assert not failed(CUT, refusal(400)).unknown


@pytest.mark.parametrize("first", [CUT, refusal(500), refusal(503), refusal(409)])
def test_write_without_a_response_has_an_unknown_outcome(first: Reply) -> None:
    assert failed(first).unknown
    assert failed(LIMITED, first).unknown


def test_replayed_failure_of_a_write_is_not_retried() -> None:
    repeated = replace(refusal(500), headers={"Idempotent-Replayed": "true"})
    with replies(repeated) as server:
        with pytest.raises(WriteFailedError) as caught:
            write(server)
        assert len(server.asked) == 1
    assert caught.value.unknown
    assert caught.value.failure.kind is FailureKind.PROVIDER
    assert caught.value.failure.message.startswith("POST /v1/customers: ")


@pytest.mark.parametrize("method", ["post", "delete"])
def test_http_layer_does_not_retry_a_write(method: str) -> None:
    with replies(CUT, DONE) as server:
        with pytest.raises(WriteFailedError):
            write(server, method, tries=1)
        assert len(server.asked) == 1
