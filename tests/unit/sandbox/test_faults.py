"""Fault injection and hooks."""

from __future__ import annotations

from typing import Any

import pytest

from engine.connector.sandbox import SANDBOX_KEY
from engine.sandbox.serving.api import AdmittedRequest, ApiRequest, Delivery
from tests.support.sandbox.client import Client


def statuses(client: Client, path: str, count: int) -> list[int]:
    return [client.ask("GET", path).status for _ in range(count)]


def deliver(client: Client, method: str, path: str, body: bytes = b"", **headers: str) -> Delivery:
    sent = {
        "authorization": f"Bearer {SANDBOX_KEY}",
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    ticket = client.api.admit(ApiRequest(method, path, "", sent, body), "req_1")
    assert isinstance(ticket, AdmittedRequest)
    return client.api.respond(ticket, client.sandbox.faults.strike(method, path))


def test_a_fault_strikes_matching_requests_the_given_number_of_times() -> None:
    client = Client(customers=5)
    client.sandbox.faults.add({"kind": "error", "path": "/v1/charges", "times": 2, "status": 503})
    assert statuses(client, "/v1/customers", 2) == [200, 200]
    assert statuses(client, "/v1/charges", 4) == [503, 503, 200, 200]
    client.sandbox.faults.add(
        {"kind": "rate_limit", "method": "GET", "path": "/v1/c*", "skip": 1, "times": 1, "retry_after": 2}
    )
    first, second = client.ask("GET", "/v1/charges"), client.ask("GET", "/v1/customers")
    assert (first.status, second.status, second.headers["retry-after"]) == (200, 429, "2")
    client.sandbox.faults.add({"kind": "lock", "times": 1})
    locked = client.ask("GET", "/v1/charges")
    assert (locked.status, locked.error["code"]) == (429, "lock_timeout")
    assert "stripe-rate-limited-reason" not in locked.headers


def test_a_rate_is_reproducible_by_seed() -> None:
    def run(seed: int) -> list[int]:
        client = Client(customers=0, seed=seed)
        client.sandbox.faults.add({"kind": "error", "rate": 0.3})
        return statuses(client, "/v1/customers", 200)

    assert run(1) == run(1) != run(2)
    assert 30 < run(1).count(500) < 90


def test_faults_of_the_body_corrupt_the_response() -> None:
    client = Client(customers=5)
    whole = deliver(client, "GET", "/v1/customers").response.body
    for kind, name in (("reset", "cut"), ("truncated", "half")):
        fault = client.sandbox.faults.add({"kind": kind, "applied": True, "times": 1})
        assert getattr(deliver(client, "GET", "/v1/customers"), name) is True
        client.sandbox.faults.remove(fault.id)
    client.sandbox.faults.add({"kind": "slow_body", "seconds": 2.5, "times": 1})
    assert deliver(client, "GET", "/v1/customers").stretch == 2.5
    client.sandbox.faults.add({"kind": "malformed", "times": 1})
    with pytest.raises(ValueError):
        client.get("/v1/customers")
    assert deliver(client, "GET", "/v1/customers").response.body == whole


def test_a_reset_loses_the_write_unless_applied() -> None:
    client = Client(customers=0)
    client.sandbox.faults.add({"kind": "reset", "applied": True, "times": 1})
    assert deliver(client, "POST", "/v1/customers", b"name=Ada", idempotency_key="a").cut
    assert len(client.get("/v1/customers")["data"]) == 1
    again = client.ask("POST", "/v1/customers", [("name", "Ada")], idempotency_key="a")
    assert (again.status, again.headers["idempotent-replayed"]) == (200, "true")
    client.sandbox.faults.add({"kind": "reset", "method": "POST", "times": 1})
    assert deliver(client, "POST", "/v1/customers", b"name=Bea", idempotency_key="b").cut
    assert len(client.get("/v1/customers")["data"]) == 1
    assert (
        "idempotent-replayed" not in client.ask("POST", "/v1/customers", [("name", "Bea")], idempotency_key="b").headers
    )
    assert len(client.get("/v1/customers")["data"]) == 2


@pytest.mark.parametrize("applied", [False, True])
def test_a_500_under_an_idempotency_key_is_replayed(applied: bool) -> None:
    client = Client(customers=0)
    client.sandbox.faults.add({"kind": "error", "method": "POST", "times": 1, "applied": applied})
    first = client.ask("POST", "/v1/customers", [("name", "Ada")], idempotency_key="a")
    again = client.ask("POST", "/v1/customers", [("name", "Ada")], idempotency_key="a")
    assert (first.status, again.status, again.headers["idempotent-replayed"]) == (500, 500, "true")
    assert len(client.get("/v1/customers")["data"]) == int(applied)
    client.sandbox.faults.add({"kind": "rate_limit", "method": "POST", "times": 1})
    assert client.ask("POST", "/v1/customers", [("name", "Bea")], idempotency_key="b").status == 429
    assert client.ask("POST", "/v1/customers", [("name", "Bea")], idempotency_key="b").status == 200


@pytest.mark.parametrize(
    "given", [{}, {"kind": "flood"}, {"kind": "error", "often": True}, {"kind": "rate_limit", "reason": "moon"}]
)
def test_an_invalid_fault_is_rejected(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Client(customers=0).sandbox.faults.add(given)


def test_a_hook_writes_between_two_pages() -> None:
    client = Client(customers=30)
    whole = [each["id"] for each in client.everything("/v1/customers")]
    victim = whole[9]
    client.sandbox.hooks.add(
        {"path": "/v1/customers", "page": 2, "method": "DELETE", "target": f"/v1/customers/{victim}"}
    )
    client.sandbox.hooks.add(
        {"path": "/v1/customers", "page": 2, "target": "/v1/customers", "params": {"name": "New"}, "advance": 5}
    )
    first = client.get("/v1/customers", [("limit", "10")])
    assert [each["id"] for each in first["data"]] == whole[:10]
    reply = client.ask("GET", "/v1/customers", [("limit", "10"), ("starting_after", victim)])
    assert (reply.status, reply.error["code"]) == (400, "resource_missing")
    assert [hook.status for hook in client.sandbox.hooks.all] == [200, 200]
    assert client.get("/v1/customers", [("limit", "1")])["data"][0]["name"] == "New"
    with pytest.raises(ValueError):
        client.sandbox.hooks.add({"path": "/v1/customers"})
