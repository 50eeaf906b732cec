"""Who gets in, and what everybody gets back."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from http.client import HTTPConnection

import pytest

from engine.api import ApiOptions
from engine.app.serving.tokens import new_token, revoke_token

from .conftest import Client

READS = ["/metrics", "/generation", "/findings", "/interfaces", "/interfaces/echo/plan", "/runs"]
CHANGES = ["/reload", "/interfaces/echo/runs", "/runs/20260101-000000-000000/cancel"]


def test_health_and_readiness_and_the_document_are_for_everybody(shared: Client) -> None:
    assert shared.get("/health", token=None).body == {"status": "ok"}
    assert shared.get("/ready", token=None).body == {"status": "ready", "generation": 1}
    assert shared.get("/openapi.json", token=None).body["openapi"] == "3.1.0"


@pytest.mark.parametrize("path", [*READS, "/runs/20260101-000000-000000", "/runs/20260101-000000-000000/events"])
def test_nothing_is_read_without_a_token(shared: Client, path: str) -> None:
    for token in (
        None,
        "",
        "weir_000000000000_" + "0" * 64,
        shared.token[:-1] + ("0" if shared.token[-1] != "0" else "1"),
    ):
        reply = shared.get(path, token=token)
        assert (reply.status, reply.body["code"]) == (401, "token")
        assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", CHANGES)
def test_nothing_is_done_without_a_token(shared: Client, path: str) -> None:
    assert shared.post(path, {}, token=None).status == 401


def test_a_token_may_do_what_its_scopes_say_and_nothing_else(client: Client) -> None:
    reader, runner, admin = (client.new_token(name, name) for name in ("read", "run", "admin"))
    assert [client.get("/runs", token=each).status for each in (reader, runner, admin)] == [200, 403, 403]
    assert [client.post("/interfaces/echo/runs", {}, token=each).status for each in (reader, runner, admin)] == [
        403,
        202,
        403,
    ]
    assert [client.post("/reload?wait=1", token=each).status for each in (reader, runner, admin)] == [403, 403, 200]
    assert client.get("/runs", token=runner).body["code"] == "scope"


def test_a_token_ends_at_its_time_and_when_it_is_revoked(client: Client) -> None:
    short, _ = new_token(client.engine.workspace, "short", ("read",), timedelta(microseconds=1))
    assert client.get("/runs", token=short).status == 401
    long, _ = new_token(client.engine.workspace, "long", ("read",), timedelta(days=1))
    assert client.get("/runs", token=long).status == 200
    revoke_token(client.engine.workspace, "long")
    assert client.get("/runs", token=long).status == 401


def test_a_request_id_is_taken_over_or_made(shared: Client) -> None:
    assert shared.get("/health", headers={"X-Request-Id": "mine.1"}).headers["x-request-id"] == "mine.1"
    made = shared.get("/runs/20260101-000000-000000", headers={"X-Request-Id": "a b\tc"})
    assert made.headers["x-request-id"] == made.body["request_id"] != "a b\tc"


def test_no_other_origin_is_let_in(shared: Client) -> None:
    reply = shared.get("/health", headers={"Origin": "https://elsewhere.example"})
    assert not any(name.startswith("access-control") for name in reply.headers)
    assert shared.ask("OPTIONS", "/runs", headers={"Origin": "https://elsewhere.example"}).status == 405


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"[]", "application/json", 422),
        (b'{"wait": false, "file": "/etc/passwd"}', "application/json", 422),
        (b"{}", "text/plain", 415),
        (b'{"rows": {"wishes": [{"id": "' + b"x" * 2**20 + b'"}]}}', "application/json", 413),
    ],
)
def test_bodies_that_are_not_taken(shared: Client, body: bytes, kind: str, status: int) -> None:
    reply = shared.post("/interfaces/echo/runs", body, headers={"Content-Type": kind})
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.body["hint"] or status != 413


def test_a_body_without_a_length_is_cut_at_the_limit_too(shared: Client) -> None:
    connection = HTTPConnection(shared.listening.host, shared.listening.port, timeout=30)
    headers = {"Authorization": f"Bearer {shared.token}", "Content-Type": "application/json"}
    chunks = (b"[" * 65_536 for _ in range(17))
    connection.request("POST", "/interfaces/echo/runs", chunks, headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/runs?limit=0", 400),
        ("/runs?limit=501", 400),
        ("/runs?limit=1&limit=2", 400),
        ("/runs?limit=%0A1", 400),
        ("/runs?status=running%0A", 400),
        ("/runs?interface=a%0A", 400),
        ("/runs?other=1", 400),
        ("/interfaces/echo/plan?param=least", 400),
        ("/interfaces/echo/plan?param=least=1&param=least=2", 400),
        ("/interfaces/echo/plan?param=least=x", 422),
        ("/interfaces/..%2f..%2fetc/plan", 404),
        ("/interfaces/nothing/plan", 404),
        ("/interfaces/ECHO/plan", 404),
        ("/runs/1", 404),
        ("/runs/20260101-000000-00000a%0A", 404),
        ("/nothing", 404),
        ("/health/", 404),
    ],
)
def test_what_is_asked_wrongly_is_a_problem(shared: Client, path: str, status: int) -> None:
    reply = shared.get(path)
    assert (reply.status, reply.headers["content-type"]) == (status, "application/problem+json")
    assert reply.body["status"] == status


class TestLimits:
    @pytest.fixture
    def limits(self) -> ApiOptions:
        return ApiOptions(requests=8, refused=4, clock=lambda: 0.0)

    def test_a_token_and_an_address_are_slowed_down(self, client: Client) -> None:
        assert [client.get("/runs").status for _ in range(3)] == [200, 200, 429]
        assert int(client.get("/runs").headers["retry-after"]) > 0
        other = client.new_token("other", "read")
        assert client.get("/runs", token=other).status == 200
        assert [client.get("/runs", token="x").status for _ in range(2)] == [401, 429]
        assert client.get("/runs", token=other).status == 429  # the address is refused, whatever it says
        assert client.get("/health").status == 200


def test_the_audit_log_says_who_did_what_and_holds_no_bodies(client: Client) -> None:
    client.run("echo", rows={"wishes": [{"id": "very-private"}]})
    client.run("closed")
    client.get("/runs", token="weir_000000000000_" + "0" * 64)
    client.get("/runs")
    text = client.engine.workspace.paths.audit.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(each["who"], each["what"], each["result"], each.get("status")) for each in lines] == [
        (lines[0]["who"], "token new", "done", None),
        ("token tester", "POST /interfaces/{name}/runs", "done", 200),
        ("token tester", "POST /interfaces/{name}/runs", "refused", 403),
        ("nobody", "GET /runs", "refused", 401),
    ]
    assert lines[1]["run"] == client.get("/runs").body["runs"][0]["id"]
    assert "very-private" not in text
    assert client.token not in text
    assert client.engine.workspace.paths.audit.stat().st_mode & 0o077 == 0


def test_what_looks_like_a_key_goes_out_masked(client: Client) -> None:
    key = "sk_" + "live_" + "abcdefghijklmnop1234"
    reply = client.run("echo", rows={"wishes": [{"id": key}, {"id": client.token}]})
    assert reply.status == 200
    assert key not in reply.raw.decode()
    assert client.token not in reply.raw.decode()
    assert client.token not in client.get(f"/runs/{client.token}").raw.decode()


def test_a_state_that_does_not_answer_is_no_mistake_of_ours_and_passes(client: Client) -> None:
    with sqlite3.connect(client.engine.workspace.paths.runs) as state:
        state.execute("ALTER TABLE tokens RENAME TO away")
    reply = client.get("/runs")
    assert (reply.status, reply.body["code"], reply.headers["retry-after"]) == (503, "state", "5")
    assert client.get("/health").status == 200
    with sqlite3.connect(client.engine.workspace.paths.runs) as state:
        state.execute("ALTER TABLE away RENAME TO tokens")
    assert client.get("/runs").status == 200
