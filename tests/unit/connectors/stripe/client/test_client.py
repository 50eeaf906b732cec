"""The client against a real server: requests, waits, retries and failures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.connector import ConnectorError, Failure, FailureKind
from engine.connectors.stripe.client import (
    Answer,
    Client,
    Key,
    RetryPolicy,
    Settings,
    Timing,
    open_key,
)
from engine.connectors.stripe.client.sdk import stripe_logging
from tests.support.stripe.http_server import Asked, Handler, Reply, Server, problem, reply, serving

SECRET = "sk_test_4eC39HqLyjWDarjtT1zdp7dcXYZ"
OK = reply({"data": []})


@dataclass
class Clock:
    """Time that passes only in `sleep`; `random` returns its largest number."""

    moment: float = 1000.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.slept.append(seconds)
        self.moment += seconds
        await asyncio.sleep(0)

    def timing(self) -> Timing:
        """The timing of a client by this clock."""
        return Timing(lambda: self.moment, self.sleep, lambda: 1.0)


def settings(url: str, **changes: Any) -> Settings:
    """Client settings that point to the server."""
    return Settings(**{"api_version": "2026-10-28.endive", "secret": ("env", "K"), "base_url": url} | changes)


def get(
    server: Server,
    *,
    clock: Clock | None = None,
    policy: RetryPolicy | None = None,
    account: str | None = None,
    params: dict[str, str] | None = None,
    read: Callable[[Answer], Any] = lambda answer: msgspec.json.decode(answer.body),
    **changes: Any,
) -> Any:
    """GET /v1/charges with a new client."""

    async def run() -> Any:
        found = settings(server.url, **changes)
        key = open_key(found, {"K": SECRET})
        assert isinstance(key, Key)
        client = Client(found, key, account, policy or RetryPolicy(), (clock or Clock()).timing())
        async with client:
            return await client.get("/v1/charges", params or {}, read)

    return asyncio.run(run())


def failed(server: Server, **changes: Any) -> Failure:
    """The failure that this GET ends with. Asserts that it does not contain the secret."""
    with pytest.raises(ConnectorError) as caught:
        get(server, **changes)
    assert SECRET not in repr(caught.value.failure)
    return caught.value.failure


def in_turn(answers: Iterable[Reply]) -> Handler:
    """Reply with one answer after the other."""
    left = iter(answers)
    return lambda _asked: next(left)


def test_request_has_the_account_version_and_parameters() -> None:
    with serving(lambda _: OK) as server:
        get(server, account="acct_1", params={"limit": "3", "expand[0]": "data.customer", "created[gte]": "5"})
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("GET", "/v1/charges")
    assert asked.params == {"limit": "3", "expand[0]": "data.customer", "created[gte]": "5"}
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert asked.headers["stripe-version"] == "2026-10-28.endive"
    assert asked.headers["stripe-account"] == "acct_1"
    assert "x-stripe-client-telemetry" not in asked.headers


def test_client_sends_no_telemetry_and_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with serving(lambda _: OK) as server:
        get(server)
        get(server)
    assert list(tmp_path.iterdir()) == []
    assert all("telemetry_id" not in asked.headers["x-stripe-client-user-agent"] for asked in server.asked)


def test_sdk_logs_no_request_data(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(lambda _: OK) as server:
        get(server, params={"customer": "cus_confidential"})
    assert "confidential" not in caplog.text
    assert capfd.readouterr() == ("", "")
    caplog.set_level(logging.DEBUG, logger="stripe")
    stripe_logging.log_info("Request to Stripe api", customer="cus_confidential")
    assert "confidential" not in caplog.text


@pytest.mark.parametrize(
    "fault",
    [
        problem(500, "oops"),
        problem(503, "oops"),
        problem(409, "locked", code="lock_timeout"),
        Reply(b"<html>Bad gateway</html>", 502),
        Reply(b'{"data": [', 200),
        Reply(b'{"data": []}', cut=5),
        Reply(reset=True),
        problem(429, "slow down"),
        problem(429, "locked", code="lock_timeout"),
        Reply(b'{"error": {"message": "try again"}}', 400, {"Stripe-Should-Retry": "true"}),
    ],
)
def test_transient_fault_is_retried(fault: Reply) -> None:
    clock = Clock()
    with serving(in_turn([fault, fault, OK])) as server:
        assert get(server, clock=clock) == {"data": []}
    assert len(server.asked) == 3
    assert clock.slept[0] == 0.25, "full jitter with the largest number: the whole first pause"
    assert max(clock.slept) <= 0.5


@pytest.mark.parametrize(
    "fault",
    [
        problem(400, "no such parameter", param="x"),
        problem(401, "Invalid API Key provided"),
        problem(403, "no"),
        problem(404, "no such customer", code="resource_missing"),
        Reply(b"{}", 500, {"Stripe-Should-Retry": "false"}),
        Reply(b"", 302, {"Location": "http://127.0.0.1:1/"}),
    ],
)
def test_permanent_fault_is_not_retried(fault: Reply) -> None:
    with serving(lambda _: fault) as server:
        failed(server)
    assert len(server.asked) == 1


def test_retries_are_bounded() -> None:
    with serving(lambda _: problem(500, "oops")) as server:
        failure = failed(server, policy=RetryPolicy(tries=4))
    assert len(server.asked) == 4
    assert (failure.kind, failure.status, failure.message) == (FailureKind.PROVIDER, 500, "GET /v1/charges: oops")
    assert failure.request_id == "req_1"


def test_rate_limits_are_retried_longer_than_faults() -> None:
    limited = problem(429, "slow down", code="rate_limit")
    answers = [limited for _ in range(30)]
    clock = Clock()
    with serving(in_turn([*answers, OK])) as server:
        assert get(server, clock=clock) == {"data": []}
    assert clock.moment > 1000 + 300
    with serving(lambda _: limited) as server:
        failure = failed(server, policy=RetryPolicy(rate_seconds=5))
    assert failure.kind is FailureKind.RATE
    assert "requests_per_second" in (failure.hint or "")


def test_retry_after_is_obeyed_up_to_a_bound() -> None:
    clock = Clock()
    asks = [Reply(b"{}", 429, {"Retry-After": text}) for text in ("7", "9999999", "nan", "soon", "-3")]
    with serving(in_turn([*asks, OK])) as server:
        get(server, clock=clock)
    assert clock.slept[0] == pytest.approx(7.25)
    assert 60.5 in clock.slept
    assert max(clock.slept) < 62


def test_no_retry_starts_after_the_time_limit() -> None:
    clock = Clock()
    with serving(lambda _: Reply(b"{}", 503, {"Retry-After": "50"})) as server:
        failed(server, clock=clock, policy=RetryPolicy(seconds=120))
    assert len(server.asked) == 3
    assert clock.moment <= 1120


@pytest.mark.parametrize("fault", [Reply(late=3), Reply(b"x" * 1000, slow=3)])
def test_timeout_covers_the_whole_response(fault: Reply) -> None:
    with serving(lambda _: fault) as server:
        failure = failed(server, timeout_ms=150, policy=RetryPolicy(timeouts=2))
    assert len(server.asked) == 2
    assert failure.kind is FailureKind.TIMEOUT
    assert failure.message.endswith("no complete answer within 0.15 s")
    assert "timeout_ms" in (failure.hint or "")


def test_refused_connection_is_reported_as_unreachable() -> None:
    with serving(lambda _: OK) as server:
        pass
    failure = failed(Server(server.url.replace("127.0.0.1", "localhost").rsplit(":", 1)[0] + ":1"))
    assert failure.kind is FailureKind.UNREACHABLE
    assert "cannot connect to localhost:1" in failure.message


def test_connections_are_reused() -> None:
    async def run(url: str) -> None:
        found = settings(url)
        key = open_key(found, {"K": SECRET})
        assert isinstance(key, Key)
        async with Client(found, key) as client:
            for _ in range(5):
                await client.get("/v1/charges", {}, lambda answer: answer.body)

    with serving(lambda _: OK) as server:
        asyncio.run(run(server.url))
    assert (len(server.asked), server.connections) == (5, 1)


def test_invalid_key_is_reported_without_the_key() -> None:
    with serving(lambda _: problem(401, f"Invalid API Key provided: sk_test_********7dcXYZ or {SECRET}")) as server:
        failure = failed(server)
    assert failure.kind is FailureKind.KEY
    assert "7dcXYZ" not in failure.message
    assert failure.hint == (
        "put a valid secret or restricted key into the environment variable `K` (dashboard: Developers, API keys)"
    )


def test_missing_permission_is_named() -> None:
    message = (
        "The provided key 'rk_test_*********abc' does not have the required permissions for this endpoint on account "
        "'acct_1'. Having the 'rak_charge_read' permission would allow this request to continue."
    )
    with serving(lambda _: problem(403, message)) as server:
        failure = failed(server)
    assert (failure.kind, failure.permission) == (FailureKind.PERMISSION, "rak_charge_read")
    assert "grant `rak_charge_read`" in (failure.hint or "")
    assert "rk_test" not in failure.message


def test_key_of_the_wrong_mode_is_reported() -> None:
    message = "No such charge; a similar object exists in live mode, but a test mode key was used."
    with serving(lambda _: problem(401, message)) as server:
        assert "different modes" in (failed(server).hint or "")


def test_unknown_parameter_is_named() -> None:
    with serving(lambda _: problem(400, "Received unknown parameter: colour", param="colour", code="x")) as server:
        failure = failed(server)
    assert (failure.kind, failure.param, failure.code) == (FailureKind.REQUEST, "colour", "x")
    assert failure.type == "invalid_request_error"


def test_response_that_is_not_json_is_reported() -> None:
    with serving(lambda _: Reply(b"<html>hotel login</html>")) as server:
        failure = failed(server, policy=RetryPolicy(tries=2))
    assert failure.kind is FailureKind.ANSWER
    assert "proxy" in (failure.hint or "")


def test_client_keeps_the_requests_per_second() -> None:
    clock = Clock()

    async def run(url: str) -> None:
        found = settings(url, requests_per_second=2.0)
        key = open_key(found, {"K": SECRET})
        assert isinstance(key, Key)
        async with Client(found, key, timing=clock.timing()) as client:
            for _ in range(9):
                await client.get("/v1/charges", {}, lambda a: a.body)

    with serving(lambda _: OK) as server:
        asyncio.run(run(server.url))
    assert clock.moment - 1000 == pytest.approx(4.0)


@pytest.mark.parametrize(
    "limit",
    [
        Reply(b"{}", 429, {"Stripe-Rate-Limited-Reason": "endpoint-rate", "Stripe-Should-Retry": "false"}),
        problem(429, "slow down", code="rate_limit"),
        problem(400, "too many requests of this kind", code="rate_limit"),
        problem(400, "too many requests of this kind", type="rate_limit_error"),
    ],
)
def test_rate_limit_of_every_form_is_retried(limit: Reply) -> None:
    clock = Clock()
    with serving(in_turn([*[limit] * 12, OK])) as server:
        assert get(server, clock=clock) == {"data": []}
    assert len(server.asked) == 13, "more often than a fault would be tried again"


@pytest.mark.parametrize("code", ["lock_timeout", "other"])
def test_status_429_without_a_reason_is_a_lock_and_not_a_limit(code: str) -> None:
    with serving(lambda _: problem(429, "another request holds the object", code=code)) as server:
        failure = failed(server)
    assert len(server.asked) == RetryPolicy().tries
    assert failure.kind is FailureKind.PROVIDER


def test_client_counts_requests_retries_and_limits() -> None:
    limit = Reply(b"{}", 429, {"Stripe-Rate-Limited-Reason": "global-rate"})

    async def run(url: str) -> tuple[int, int, int]:
        found = settings(url)
        key = open_key(found, {"K": SECRET})
        assert isinstance(key, Key)
        async with Client(found, key, timing=Clock().timing()) as client:
            await client.get("/v1/charges", {}, lambda answer: answer.body)
            return client.counts.requests, client.counts.retries, client.counts.limited

    with serving(in_turn([limit, problem(500, "oops"), limit, OK])) as server:
        assert asyncio.run(run(server.url)) == (4, 3, 2)


def test_client_keeps_the_concurrency() -> None:
    async def run(url: str) -> None:
        found = settings(url, concurrency=3, requests_per_second=1000.0)
        key = open_key(found, {"K": SECRET})
        assert isinstance(key, Key)
        async with Client(found, key) as client:
            await asyncio.gather(*(client.get("/v1/charges", {}, lambda a: a.body) for _ in range(12)))

    def slow(_asked: Asked) -> Reply:
        return Reply(late=0.02)

    with serving(slow) as server:
        asyncio.run(run(server.url))
    assert server.most == 3


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        ("pk_test_abcdef", None, "publishable"),
        ("sk_live_abcdef", "test", "is a live mode key, but the connection has `mode: test`"),
        ("rk_test_abcdef", "live", "is a test mode key"),
    ],
)
def test_unusable_key_is_refused_without_showing_it(text: str, mode: Any, message: str) -> None:
    failure = open_key(settings("http://x", mode=mode), {"K": text})
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.KEY
    assert message in failure.message
    assert text not in repr(failure)


def test_key_has_a_kind_and_a_mode_from_its_prefix() -> None:
    key = open_key(settings("http://x"), {"K": "rk_live_abcdef"})
    assert isinstance(key, Key)
    assert (key.kind, key.mode) == ("restricted key", "live")
    assert "abcdef" not in repr(key)


def test_settings_are_read_from_json() -> None:
    found = Settings.of({"secret": ["file", "key"], "timeout_ms": None, "base_url": None, "base": "/a"}, "v")
    assert found == Settings("v", ("file", "key"), base=Path("/a"))
