"""The served sandbox: SDK clients, control API, connection faults, process lifecycle."""

from __future__ import annotations

import http.client
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import urlparse

import pytest
import stripe

from engine.sandbox.options import ANCHOR

from .conftest import Served


def truth(sandbox: Served, table: str, account: str | None = None) -> dict[str, Any]:
    told: dict[str, Any] = sandbox.control("GET", f"/truth?table={table}")[account or sandbox.account][table]
    return told


def test_the_sdk_pages_through_every_object(sandbox: Served) -> None:
    client = sandbox.client()
    for table, params in (("customers", {}), ("charges", {}), ("invoices", {}), ("subscriptions", {"status": "all"})):
        service = getattr(client.v1, table)
        found = list(service.list({"limit": 23, **params}).auto_paging_iter())
        told = truth(sandbox, table)
        assert len(found) == told["count"]
        assert {each.id for each in found} == set(told["ids"])
        for each in found[:5]:
            plain = json.dumps(json.loads(str(each)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            assert sha256(plain.encode()).hexdigest() == told["ids"][each.id]


def test_the_sdk_writes_and_reads_back(sandbox: Served) -> None:
    client = sandbox.client()
    made = client.v1.customers.create({"name": "Ada", "email": "ada@mail.example", "metadata": {"tier": "pro"}})
    client.v1.customers.update(made.id, {"metadata": {"tier": "", "level": "2"}, "address": {"city": "Paris"}})
    shown = client.v1.customers.retrieve(made.id)
    assert shown.metadata is not None
    assert shown.metadata.to_dict() == {"level": "2"}
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": made.id})
    client.v1.customers.update(made.id, {"invoice_settings": {"default_payment_method": card.id}})
    price = client.v1.prices.create(
        {"currency": "usd", "unit_amount": 1500, "recurring": {"interval": "month"}, "product_data": {"name": "Plan"}}
    )
    subscription = client.v1.subscriptions.create(
        {"customer": made.id, "items": [{"price": price.id, "quantity": 2}], "expand": ["latest_invoice"]}
    )
    assert subscription.status == "active"
    assert isinstance(subscription.latest_invoice, stripe.Invoice)
    assert subscription.latest_invoice.amount_paid == 3000
    found = client.v1.customers.search({"query": "metadata['level']:'2'"})
    assert [each.id for each in found.data] == [made.id]
    events = client.v1.events.list({"types": ["customer.created", "customer.updated"], "limit": 3})
    assert events.data[-1].data.object["id"] == made.id
    assert client.v1.customers.delete(made.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.update(made.id, {"name": "x"})
    assert refused.value.code == "resource_missing"
    assert refused.value.http_status == 404
    assert refused.value.request_id is not None


def test_the_sdk_raises_the_class_of_each_error(sandbox: Served) -> None:
    client = sandbox.client()
    with pytest.raises(stripe.CardError) as declined:
        client.v1.charges.create({"amount": 500, "currency": "usd", "source": "tok_chargeDeclined"})
    assert declined.value.code == "card_declined"
    addresses: Any = {"api": sandbox.url}
    with pytest.raises(stripe.AuthenticationError):
        stripe.StripeClient("sk_test_wrong_0000", base_addresses=addresses).v1.balance.retrieve()
    sandbox.control("POST", "/keys", {"key": "rk_test_weir_thin", "permissions": ["rak_customer_read"]})
    thin = stripe.StripeClient("rk_test_weir_thin", base_addresses=addresses)
    assert thin.v1.customers.list({"limit": 1}).data
    with pytest.raises(stripe.PermissionError, match="rak_charge_read"):
        thin.v1.charges.list()
    sandbox.control("POST", "/faults", {"kind": "rate_limit", "times": 1})
    with pytest.raises(stripe.RateLimitError):
        client.v1.charges.list()
    client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "same"})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.customers.create({"name": "Bea"}, {"idempotency_key": "same"})


def test_the_sdk_retries_after_faults_without_duplicates(sandbox: Served) -> None:
    client = sandbox.client(max_network_retries=3)
    sandbox.control("POST", "/faults", {"kind": "reset", "method": "POST", "times": 1, "applied": True})
    sandbox.control("POST", "/faults", {"kind": "lock", "method": "POST", "skip": 1, "times": 1})
    made = client.v1.customers.create({"name": "Once", "email": "once@mail.example"})
    found = client.v1.customers.list({"email": "once@mail.example"}).data
    assert [each.id for each in found] == [made.id]


def test_a_connected_account_has_its_own_objects(sandbox: Served) -> None:
    client = sandbox.client()
    accounts = [each.id for each in client.v1.accounts.list().data]
    assert len(accounts) == 2
    seen = client.v1.customers.list({"limit": 100}, {"stripe_account": accounts[0]})
    assert {each.id for each in seen.data} == set(truth(sandbox, "customers", accounts[0])["ids"])
    with pytest.raises(stripe.PermissionError):
        client.v1.customers.list({}, {"stripe_account": "acct_nobody"})


def ask(sandbox: Served, path: str, timeout: float = 10) -> tuple[http.client.HTTPResponse, bytes]:
    address = urlparse(sandbox.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)
    connection.request("GET", path, headers={"Authorization": f"Bearer {sandbox.key}"})
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    return reply, body


def test_connection_faults_reach_the_client(sandbox: Served) -> None:
    whole = ask(sandbox, "/v1/customers")[1]
    sandbox.control("POST", "/faults", {"kind": "reset", "times": 1})
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        ask(sandbox, "/v1/customers")
    sandbox.control("POST", "/faults", {"kind": "truncated", "times": 1})
    with pytest.raises(http.client.IncompleteRead) as short:
        ask(sandbox, "/v1/customers")
    assert whole.startswith(short.value.partial)
    sandbox.control("POST", "/faults", {"kind": "slow_body", "seconds": 0.4, "times": 1})
    started = time.monotonic()
    assert ask(sandbox, "/v1/customers")[1] == whole
    assert time.monotonic() - started > 0.35
    sandbox.control("POST", "/faults", {"kind": "latency", "seconds": 0.3, "times": 1})
    started = time.monotonic()
    assert ask(sandbox, "/v1/customers")[1] == whole
    assert time.monotonic() - started > 0.28
    assert [fault["struck"] for fault in sandbox.control("GET", "/faults")] == [1, 1, 1, 1]
    assert sandbox.control("DELETE", "/faults") == []


def test_the_control_api_shows_and_changes_the_sandbox(sandbox: Served) -> None:
    overview = sandbox.control("GET", "/")
    assert (overview["account"], overview["now"]) == (sandbox.account, ANCHOR)
    assert sandbox.control("POST", "/clock", {"advance": 60}) == {"now": ANCHOR + 60, "frozen": True}
    assert sandbox.control("POST", "/clock", {"now": ANCHOR + 5, "frozen": False})["frozen"] is False
    assert sandbox.control("POST", "/config", {"per_second": 50, "search_lag": 3})["search_lag"] == 3
    ask(sandbox, "/v1/customers?limit=2")
    seen = sandbox.control("GET", "/requests")
    assert (seen[-1]["path"], seen[-1]["query"], seen[-1]["status"]) == ("/v1/customers", "limit=2", 200)
    assert sandbox.control("DELETE", "/requests") == []
    made = sandbox.control("POST", "/act", {"path": "/v1/customers", "params": {"name": "Quiet"}})
    assert made["id"] in truth(sandbox, "customers")["ids"]
    assert sandbox.control("GET", "/requests") == []
    hook = {"path": "/v1/customers", "page": 1, "method": "DELETE", "target": f"/v1/customers/{made['id']}"}
    sandbox.control("POST", "/hooks", hook)
    assert made["id"] not in ask(sandbox, "/v1/customers")[1].decode()
    assert truth(sandbox, "customers")["deleted"][-1] == made["id"]
    for path, body in (
        ("/clock", {"then": 1}),
        ("/faults", {"kind": "x"}),
        ("/hooks", {}),
        ("/act", {"path": "/v1/customers", "account": "x"}),
    ):
        assert sandbox.refused("POST", path, body) == 400
    sandbox.control("POST", "/reset")
    assert sandbox.control("GET", "/") == {**overview, "requests": {}}


def test_two_processes_with_one_seed_respond_with_equal_bytes(start: Callable[..., Served]) -> None:
    first, second = (start("--customers", "8", "--frozen", "--pretty") for _ in range(2))
    for path in ("/v1/customers?limit=100", "/v1/invoices?limit=100", "/v1/events?limit=100", "/v1/account"):
        one, other = ask(first, path), ask(second, path)
        assert one[1] == other[1]
        assert one[1].startswith(b"{\n  ")


def test_it_stops_when_standard_input_closes() -> None:
    command = [sys.executable, "-m", "engine.sandbox", "--size", "empty", "--until-stdin-closes"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdout.readline()
    process.stdin.close()
    assert process.wait(10) == 0


def test_it_stops_when_its_parent_is_killed() -> None:
    parent = (
        "import subprocess, sys, time\n"
        "command = [sys.executable, '-m', 'engine.sandbox', '--size', 'empty', '--until-stdin-closes']\n"
        "child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)\n"
        "print(child.pid, child.stdout.readline(), flush=True)\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid, line = process.stdout.readline().split(" ", 1)
    address = urlparse(json.loads(line)["url"])
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            http.client.HTTPConnection(address.hostname or "", address.port, timeout=1).connect()
        except ConnectionRefusedError:
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} is still alive")


def test_an_address_in_use_is_exit_code_3() -> None:
    import socket

    from engine.sandbox.__main__ import main

    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", str(taken.getsockname()[1]), "--size", "empty"]) == 3


def test_start_and_stop_take_less_than_three_cpu_seconds(start: Callable[..., Served]) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "engine.sandbox", "--until-stdin-closes"]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 3


def test_serving_imports_none_of_the_heavy_libraries() -> None:
    code = (
        "import sys, engine.sandbox.serving.server\n"
        "print(*(name for name in ('stripe', 'aiohttp', 'duckdb', 'pydantic', 'sqlalchemy') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
