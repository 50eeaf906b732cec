"""`weir serve` from outside."""

from __future__ import annotations

import ctypes
import json
import shutil
import signal
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes.command import weir
from tests.support.processes.served import WAIT_SECONDS, Server, new_token, wait_for
from tests.support.serving import ECHO, SCHEDULED, SLOW, make_project

CONNECTION = """
kind: connection
name: shop
connector: stripe
is_source: true
client_secret: {env: STRIPE_SECRET_KEY}
base_url: sandbox
"""
TRIED = """
kind: interface
name: tried
schedule: {every: 4s}
retry: {times: 3, wait: 500ms}
steps:
  - name: load
    import:
      connection: shop
      into: tally
      sql: SELECT id, 1 AS amount FROM customers LIMIT 5
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


@pytest.fixture
def server(project: Path) -> Iterator[Server]:
    made = Server(project, new_token(project))
    yield made
    if made.is_alive:
        made.kill()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there a signal can be given to one thread")
def test_a_signal_that_another_thread_gets_stops_it(server: Server, project: Path) -> None:
    """The system chooses the thread, and Python's handlers run on the main one only, which waits."""
    server.start()
    server.wait_log("server listens")
    assert server.process is not None
    process = server.process.pid
    others = [int(each.name) for each in Path(f"/proc/{process}/task").iterdir() if int(each.name) != process]
    assert ctypes.CDLL(None).tgkill(process, min(others), int(signal.SIGTERM)) == 0
    assert server.process.wait(WAIT_SECONDS) == 0


def test_it_says_where_it_listens_and_how_to_make_a_token(server: Server, project: Path) -> None:
    [token] = json.loads(weir(project, "token", "list", "--format", "json").succeeded().out)["id"].split()
    weir(project, "token", "revoke", token).succeeded()
    server.start()
    told = server.starts[0][0].read_text()
    assert told.startswith("listening on http://127.0.0.1:")
    assert "weir token new NAME --scope" in told
    assert server.end() == 0
    assert server.log("server has stopped")


def test_what_is_right_of_a_project_with_a_broken_file_is_served_from_the_start(server: Server, project: Path) -> None:
    good = (project / "interfaces/slow.yaml").read_text()
    (project / "interfaces/slow.yaml").write_text(good.replace("FROM many a", "FROM meny a"))
    server.start()
    [live] = server.log("generation is live")
    assert (live["generation"], live["added"], live["held"]) == (1, ["closed", "echo"], ["interfaces/slow.yaml"])
    assert server.ask("GET", "/findings")[1]["findings"][0]["where"].startswith("interfaces/slow.yaml:")
    assert server.ask("POST", "/interfaces/echo/runs", {"wait": True})[0] == 200
    assert server.ask("POST", "/interfaces/slow/runs", {})[0] == 404
    (project / "interfaces/slow.yaml").write_text(good)
    server.wait_log("generation is live", lambda each: each["generation"] == 2 and each["added"] == ["slow"])
    [told] = server.log("finding")
    assert server.wait_log("finding is fixed")["message"] == told["message"]


def test_an_edit_is_live_while_a_run_goes_on_as_it_began(server: Server, project: Path) -> None:
    server.start()
    run_id = server.ask("POST", "/interfaces/slow/runs", {})[1]["id"]
    server.wait_log("run begins")
    (project / "interfaces/slow.yaml").write_text(ECHO.replace("name: echo", "name: slow").lstrip())
    server.wait_log("generation is live", lambda each: each["generation"] == 2 and each["changed"] == ["slow"])
    status, run = server.ask("GET", f"/runs/{run_id}")
    assert (status, run["status"], run["generation"]) == (200, "running", 1)
    assert server.ask("POST", f"/runs/{run_id}/cancel")[0] == 202
    ended = server.wait_log("run over")
    assert (ended["run"], ended["status"], ended["generation"]) == (run_id, "stopped", 1)
    run = server.ask("POST", "/interfaces/slow/runs", {"wait": True})[1]
    assert (run["generation"], run["responses"][0]["rows"]) == (2, 0)


def test_sigterm_lets_runs_end(server: Server, project: Path) -> None:
    pairs = SLOW.replace("range(200000)", "range(24000)")
    (project / "interfaces/slow.yaml").write_text(pairs.lstrip())
    server.start()
    run_id = server.ask("POST", "/interfaces/slow/runs", {})[1]["id"]
    server.wait_log("run begins")
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    server.wait_log("server stops")
    assert server.process.wait(60) == 0
    assert history(project)[run_id] == "succeeded"


def test_a_run_that_does_not_end_is_stopped_at_the_deadline_and_its_leases_are_free(
    server: Server, project: Path
) -> None:
    server.options = ("--drain", "0.5")
    server.start()
    run_id = server.ask("POST", "/interfaces/slow/runs", {})[1]["id"]
    server.wait_log("run begins")
    wait_for(lambda: history(project).get(run_id) == "running")
    assert server.end(signal.SIGINT) == 0
    assert history(project)[run_id] == "stopped"
    with sqlite3.connect(project / ".weir/state.db") as database:
        assert database.execute("SELECT name FROM leases WHERE owner IS NOT NULL").fetchall() == []


def test_a_second_signal_does_not_wait_for_the_deadline(server: Server, project: Path) -> None:
    server.options = ("--drain", "3600")
    server.start()
    run_id = server.ask("POST", "/interfaces/slow/runs", {})[1]["id"]
    server.wait_log("run begins")
    wait_for(lambda: history(project).get(run_id) == "running")
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    server.wait_log("server stops")
    assert server.ask("POST", "/interfaces/echo/runs", {})[1]["code"] == "stopping"
    assert server.end() == 0
    assert history(project)[run_id] == "stopped"


def test_a_run_over_its_time_is_stopped_and_says_so(server: Server, project: Path) -> None:
    text = SLOW.replace("triggers:", "timeout: 1s\ntriggers:")
    (project / "interfaces/slow.yaml").write_text(text.lstrip())
    server.start()
    status, problem = server.ask("POST", "/interfaces/slow/runs", {"wait": True})
    assert (status, problem["code"], problem["detail"]) == (504, "timed_out", "stopped after 1 seconds")
    run = server.ask("GET", f"/runs/{problem['run']}")[1]
    assert (run["status"], run["timed_out"], run["message"]) == ("stopped", True, "stopped after 1 seconds")
    assert server.log("run timed out")[0]["run"] == problem["run"]


def test_what_the_provider_has_failed_is_tried_again(server: Server, project: Path) -> None:
    away = CONNECTION.replace("base_url: sandbox", "base_url: http://127.0.0.1:9")
    (project / "connections").mkdir()
    (project / "connections/shop.yaml").write_text(away.lstrip())
    (project / "interfaces/tried.yaml").write_text(TRIED.lstrip())
    (project / "interfaces/closed.yaml").unlink()
    server.start()
    server.wait_log("run is tried again")
    server.wait_log("start", lambda each: each["attempt"] == 1)
    (project / "connections/shop.yaml").write_text(CONNECTION.lstrip())
    done = server.wait_log("run over", lambda each: each["status"] == "succeeded")
    assert done["generation"] == 2
    assert server.end() == 0


def test_two_servers_start_what_is_due_once_and_commands_work_beside_them(project: Path) -> None:
    (project / "interfaces/beat.yaml").write_text(SCHEDULED.lstrip())
    token = new_token(project)
    servers = [Server(project, token, name=name).start() for name in ("one", "two")]
    one, two = servers
    try:
        wait_for(lambda: len(starts(servers)) >= 4, one)
        assert weir(project, "run", "echo").succeeded()
        assert weir(project, "plan").succeeded()
        assert one.ask("POST", "/interfaces/echo/runs", {"wait": True})[0] == 200
        assert one.end() == 0
        before = len(two.log("start"))
        wait_for(lambda: len(two.log("start")) >= before + 3, two)
        assert two.end() == 0
    finally:
        for server in servers:
            if server.is_alive:
                server.kill()
    dues = [due for due, _ in starts(servers)]
    assert len(dues) == len(set(dues))
    kept = history(project)
    begun = [run_id for _, run_id in starts(servers) if run_id in kept]
    assert len(begun) >= len(dues) - 2, "only what was stopped before it began left no run"
    assert {kept[run_id] for run_id in begun} <= {"succeeded", "stopped"}


def starts(servers: list[Server]) -> list[tuple[str, str]]:
    """(due, run) of all first tries."""
    return [(each["due"], each["run"]) for server in servers for each in server.log("start") if each["attempt"] == 0]


def test_schedules_go_on_when_the_state_answers_again(server: Server, project: Path) -> None:
    (project / "interfaces/beat.yaml").write_text(SCHEDULED.lstrip())
    server.start()
    server.wait_log("start")
    state = sqlite3.connect(project / ".weir/state.db", timeout=60)
    state.execute("ALTER TABLE schedules RENAME TO away")
    failed = server.wait_log("scheduling failed")
    assert "no such table: schedules" in failed["error"]
    before = len(server.log("start"))
    state.execute("ALTER TABLE away RENAME TO schedules")
    state.close()
    wait_for(lambda: len(server.log("start")) > before, server)
    assert server.end() == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "weir.example", "192.168.1.7"])
def test_other_machines_are_let_in_only_with_tls(project: Path, host: str) -> None:
    done = weir(project, "serve", "--host", host, "--port", "0")
    assert done.code == 64
    assert "--tls-cert" in done.err


def test_a_port_that_is_taken_and_a_certificate_that_is_none_are_named(server: Server, project: Path) -> None:
    server.start()
    done = weir(project, "serve", "--port", str(server.port))
    assert (done.code, f"cannot listen on 127.0.0.1:{server.port}" in done.err) == (3, True)
    (project / "not.pem").write_text("nothing")
    done = weir(project, "serve", "--port", "0", "--tls-cert", "not.pem", "--tls-key", "not.pem")
    assert (done.code, "the certificate cannot be used" in done.err) == (3, True)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_it_speaks_tls(server: Server, project: Path) -> None:
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", "key.pem"]
    subprocess.run([*command, "-out", "cert.pem", *subject], cwd=project, check=True, capture_output=True)
    server.options = ("--tls-cert", "cert.pem", "--tls-key", "key.pem")
    server.start()
    trusted = ssl.create_default_context(cafile=str(project / "cert.pem"))
    connection = HTTPSConnection("127.0.0.1", server.port, timeout=30, context=trusted)
    connection.request("GET", "/health")
    assert json.loads(connection.getresponse().read()) == {"status": "ok"}
    connection.close()


def test_tokens_are_listed_without_their_secret_and_revoked(server: Server, project: Path) -> None:
    server.start()
    listed = weir(project, "token", "list", "--format", "json").succeeded().out
    [token] = [json.loads(line) for line in listed.splitlines()]
    assert token["state"] == "holds"
    assert server.ask("GET", "/runs")[0] == 200
    assert weir(project, "token", "revoke", token["id"]).succeeded()
    assert server.ask("GET", "/runs")[0] == 401
    assert weir(project, "token", "revoke", token["id"]).code == 64
    assert weir(project, "token", "new", "ever", "--scope", "read", "--expires", "999999999d").code == 64
    secret = server.token.rpartition("_")[2]
    kept = b"".join(path.read_bytes() for path in (project / ".weir").rglob("*") if path.is_file())
    assert secret.encode() not in kept + listed.encode() + server.starts[0][1].read_bytes()


def history(project: Path) -> dict[str, Any]:
    """The status of every run in the history."""
    lines = weir(project, "runs", "--limit", "1000", "--format", "json").succeeded().out.splitlines()
    return {each["id"]: each["status"] for each in map(json.loads, lines)}
