"""Keys, accounts, permissions, versions, rate limits, idempotency keys, headers."""

from __future__ import annotations

from base64 import b64encode
from email.utils import parsedate_to_datetime

import pytest

from engine.connector.sandbox import SANDBOX_KEY
from engine.sandbox.options import DAY, KeyGrant, RateLimits
from engine.sandbox.serving.api import AdmittedRequest, ApiRequest
from tests.support.sandbox.client import Client, Reply

RESTRICTED = "rk_test_weir_reader"


def test_a_missing_or_unknown_key_is_401() -> None:
    client = Client(customers=0)
    assert client.ask("GET", "/v1/customers", key="").status == 401
    wrong = client.ask("GET", "/v1/customers", key="sk_test_abcdefghijklmnop1234")
    assert wrong.status == 401
    assert wrong.error["message"] == "Invalid API Key provided: sk_test_****************1234"
    basic = b64encode(f"{SANDBOX_KEY}:".encode()).decode()
    assert client.ask("GET", "/v1/customers", key="", authorization=f"Basic {basic}").status == 200


def test_a_restricted_key_without_permission_is_403_with_its_name() -> None:
    rights = frozenset({"rak_customer_read", "rak_product_write"})
    client = Client(customers=0, keys=(KeyGrant(SANDBOX_KEY), KeyGrant(RESTRICTED, rights)))
    assert client.ask("GET", "/v1/customers", key=RESTRICTED).status == 200
    assert client.ask("GET", "/v1/products", key=RESTRICTED).status == 200
    assert client.ask("POST", "/v1/products", [("name", "x")], key=RESTRICTED).status == 200
    for method, path, permission in (
        ("POST", "/v1/customers", "rak_customer_write"),
        ("GET", "/v1/charges", "rak_charge_read"),
        ("GET", "/v1/charges/ch_1", "rak_charge_read"),
        ("GET", "/v1/charges/search", "rak_charge_read"),
        ("POST", "/v1/invoices/in_1/pay", "rak_invoice_write"),
        ("GET", "/v1/events", "rak_event_read"),
    ):
        reply = client.ask(method, path, key=RESTRICTED)
        assert reply.status == 403
        assert f"Having the '{permission}' permission would allow this request to continue." in reply.error["message"]
        assert RESTRICTED not in reply.error["message"]
        assert client.sandbox.world.platform in reply.error["message"]


def test_live_and_test_mode_have_separate_objects() -> None:
    live = "rk_live_weir_example"
    client = Client(customers=0, keys=(KeyGrant(SANDBOX_KEY), KeyGrant(live, livemode=True)))
    made = client.post("/v1/customers", key=live)
    assert made["livemode"] is True
    reply = client.ask("GET", f"/v1/customers/{made['id']}")
    assert reply.status == 404
    assert "a similar object exists in live mode, but a test mode key was used" in reply.error["message"]
    assert client.get(f"/v1/customers/{made['id']}", key=live) == made


def test_an_unknown_account_is_403() -> None:
    client = Client(customers=0, accounts=1)
    account = client.get("/v1/accounts")["data"][0]["id"]
    assert client.ask("GET", "/v1/customers", stripe_account="acct_nobody").error["code"] == "account_invalid"
    reply = client.ask("GET", "/v1/customers", stripe_account=account)
    assert (reply.status, reply.headers["stripe-account"]) == (200, account)
    assert client.get("/v1/account", stripe_account=account)["id"] == account
    assert client.get(f"/v1/accounts/{account}")["id"] == account


def test_an_unknown_url_is_404() -> None:
    client = Client(customers=0)
    for method, path in (
        ("GET", "/v1/nothing"),
        ("GET", "/v2/nothing"),
        ("DELETE", "/v1/charges/ch_1"),
        ("GET", "/"),
        ("PUT", "/v1/customers"),
    ):
        reply = client.ask(method, path)
        assert (reply.status, reply.error["type"]) == (404, "invalid_request_error")
        assert f"({method}: {path})" in reply.error["message"]


def test_responses_have_the_headers_of_stripe() -> None:
    client = Client(customers=0)
    reply = client.ask("GET", "/v1/customers")
    assert reply.headers["request-id"].startswith("req_")
    assert reply.headers["stripe-version"] == client.sandbox.catalogue.api_version
    assert parsedate_to_datetime(reply.headers["date"]).timestamp() == client.now
    assert reply.headers["content-type"] == "application/json"
    assert int(reply.headers["content-length"]) == len(reply.body)
    assert client.ask("GET", "/v1/customers").headers["request-id"] != reply.headers["request-id"]
    assert client.ask("GET", "/v1/customers", stripe_version="2024-06-20").headers["stripe-version"] == "2024-06-20"
    assert client.ask("GET", "/v1/customers", stripe_version="new").status == 400


def test_an_idempotency_key_replays_the_first_response() -> None:
    client = Client(customers=0)

    def make(name: str, key: str = "k1", **headers: str) -> Reply:
        return client.ask("POST", "/v1/customers", [("name", name)], idempotency_key=key, **headers)

    first, again = make("Ada"), make("Ada")
    assert first.json == again.json
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["original-request"] == first.headers["request-id"]
    assert again.headers["idempotency-key"] == "k1"
    assert len(client.get("/v1/customers")["data"]) == 1
    other = make("Bea")
    assert (other.status, other.error["type"]) == (400, "idempotency_error")
    client.advance(DAY)
    assert make("Bea").status == 200
    assert make("Bea", "k" * 256).status == 400
    assert len(client.get("/v1/customers")["data"]) == 2


def test_an_idempotency_key_stores_card_errors_but_not_validation_errors() -> None:
    client = Client(customers=0)

    def post(path: str, params: list[tuple[str, str]], key: str) -> Reply:
        return client.ask("POST", path, params, idempotency_key=key)

    assert post("/v1/customers", [("colour", "red")], "wrong").status == 400
    assert post("/v1/customers", [("name", "Ada")], "wrong").status == 200
    charge = [("amount", "500"), ("currency", "usd"), ("source", "tok_chargeDeclined")]
    declined = post("/v1/charges", charge, "declined")
    again = post("/v1/charges", charge, "declined")
    assert declined.json == again.json
    assert again.headers["idempotent-replayed"] == "true"
    assert len(client.get("/v1/charges")["data"]) == 1


def test_a_concurrent_request_under_the_same_key_is_409() -> None:
    client = Client(customers=0)
    headers = {"authorization": f"Bearer {SANDBOX_KEY}", "idempotency-key": "k"}
    request = ApiRequest("POST", "/v1/customers", "", headers, b"name=Ada")
    first = client.api.admit(request, "req_1")
    assert isinstance(first, AdmittedRequest)
    second = client.ask("POST", "/v1/customers", [("name", "Ada")], idempotency_key="k")
    assert (second.status, second.error["code"]) == (409, "idempotency_key_in_use")
    assert second.headers["stripe-should-retry"] == "true"
    assert client.api.respond(first, []).response.status == 200
    assert client.ask("POST", "/v1/customers", [("name", "Ada")], idempotency_key="k").headers["idempotent-replayed"]


@pytest.mark.parametrize(
    ("limits", "reason", "other"),
    [
        (RateLimits(per_second=3), "global-rate", 429),
        (RateLimits(per_endpoint=3), "endpoint-rate", 200),
    ],
)
def test_requests_beyond_a_rate_limit_are_429(limits: RateLimits, reason: str, other: int) -> None:
    client = Client(customers=0, limits=limits)
    assert [client.ask("GET", "/v1/customers").status for _ in range(5)] == [200, 200, 200, 429, 429]
    refused = client.ask("GET", "/v1/customers")
    assert refused.error["code"] == "rate_limit"
    assert refused.headers["stripe-rate-limited-reason"] == reason
    assert client.ask("GET", "/v1/charges").status == other
    client.elapsed += 0.4
    assert client.ask("GET", "/v1/customers").status == 200
    assert client.ask("GET", "/v1/customers").status == 429
    client.elapsed += 100
    assert [client.ask("GET", "/v1/customers").status for _ in range(4)] == [200, 200, 200, 429]


def test_requests_beyond_the_concurrency_limit_are_429() -> None:
    client = Client(customers=0, limits=RateLimits(in_flight=2, retry_after=3))
    client.sandbox.limiter.in_flight = 3
    reply = client.ask("GET", "/v1/customers")
    assert (reply.status, reply.headers["stripe-rate-limited-reason"]) == (429, "global-concurrency")
    assert reply.headers["retry-after"] == "3"
    client.sandbox.limiter.in_flight = 2
    assert client.ask("GET", "/v1/customers").status == 200
