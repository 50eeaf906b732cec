"""Generations, findings, interfaces, plans and figures."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from engine.app.reload.reloader import Reload
from engine.app.serving.apply import apply_pending
from engine.app.serving.engine import Given
from engine.app.workspace import Workspace
from engine.source import Files
from tests.support.serving import ECHO, SLOW

from .conftest import Client
from .test_runs import ended, wait_for


def test_a_broken_file_is_told_by_place_and_the_rest_goes_on(client: Client, root: Path) -> None:
    (root / "interfaces/echo.yaml").write_text(ECHO.replace("FROM wishes", "FROM whishes").lstrip())
    reload = client.post("/reload?wait=1").body
    assert (reload["errors"], reload["is_new"], reload["generation"]) == (1, False, 1)
    [finding] = client.get("/findings").body["findings"]
    assert finding["code"] == "E402"
    assert finding["where"] == "interfaces/echo.yaml:10:47"
    assert "whishes" in finding["message"]
    assert finding["hint"]
    assert client.run("echo").body["generation"] == 1


def test_an_edit_is_live_after_a_reload(client: Client, root: Path) -> None:
    before = client.get("/generation").body
    (root / "interfaces/echo.yaml").write_text(ECHO.replace("SELECT id,", "SELECT upper(id) AS id,").lstrip())
    reload = client.post("/reload?wait=1").body
    assert (reload["generation"], reload["changed"], reload["added"], reload["removed"]) == (2, ["echo"], [], [])
    after = client.get("/generation").body
    assert after["number"] == before["number"] + 1
    assert after["digest"] != before["digest"]
    run = client.run("echo", rows={"wishes": [{"id": "a"}]}).body
    assert (run["generation"], run["responses"][0]["data"][0]["id"]) == (2, "A")


def test_a_reload_need_not_be_waited_for(client: Client) -> None:
    reply = client.post("/reload")
    assert (reply.status, reply.body) == (202, {"status": "accepted"})
    assert client.post("/reload?wait=2").status == 400


def test_a_run_is_pinned_to_the_generation_that_it_was_ordered_for(client: Client, root: Path) -> None:
    engine = client.engine
    # All threads are busy, so that the order waits while the definitions change.
    names = [f"slow_{number}" for number in range(engine.options.parallel)]
    for name in names:
        (root / f"interfaces/{name}.yaml").write_text(SLOW.replace("name: slow", f"name: {name}").lstrip())
    assert client.post("/reload?wait=1").body["generation"] == 2
    held = [engine.order(name, "tester") for name in names]
    ordered = engine.order("echo", "tester", Given(rows={"wishes": [{"id": "a"}]}))
    (root / "interfaces/echo.yaml").write_text(ECHO.replace("SELECT id,", "SELECT upper(id) AS id,").lstrip())
    assert client.post("/reload?wait=1").body["generation"] == 3
    assert ordered.status == "waiting"
    for each in held:
        engine.runs.stop(each)
    run = ended(client, ordered.id)
    assert (run["generation"], run["responses"][0]["data"][0]["id"]) == (2, "a")


def test_a_save_is_live_also_when_taking_it_has_failed_unexpectedly_at_first(
    client: Client, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.app.serving.engine._AFTER_TROUBLE", 0.0)
    reloader = client.engine._reloader
    offer, failed = reloader.offer, threading.Event()

    def fail_once(files: Files) -> Reload:
        if not failed.is_set():
            failed.set()
            raise MemoryError("for once")
        return offer(files)

    monkeypatch.setattr(reloader, "offer", fail_once)
    (root / "interfaces/echo.yaml").write_text(ECHO.replace("SELECT id,", "SELECT upper(id) AS id,").lstrip())
    wait_for(lambda: client.get("/generation").body["number"] == 2)
    assert failed.is_set()


def test_interfaces_say_what_they_take(client: Client) -> None:
    found = {each["name"]: each for each in client.get("/interfaces").body["interfaces"]}
    assert sorted(found) == ["closed", "echo", "slow"]
    echo = found["echo"]
    assert echo["api"]
    assert not found["closed"]["api"]
    assert echo["parameters"] == {"least": {"type": "integer", "default": 0, "description": None}}
    assert echo["rows_for"]["wishes"]["amount"] == "decimal(18,2)"
    assert found["slow"]["rows_for"] == {}


def test_a_plan_shows_the_sql_with_its_parameters(client: Client) -> None:
    plan = client.get("/interfaces/echo/plan?param=least=41").body
    assert plan["interfaces"] == ["echo"]
    assert ">= 41" in plan["tasks"][0]["step"]["box"]["sql"]


class TestProtected:
    @pytest.fixture
    def root(self, root: Path) -> Path:
        (root / "weir.yaml").write_text("kind: settings\npolicy: {protected: true}\n")
        return root

    def test_what_waits_to_be_applied_is_told_by_its_hash(self, client: Client, root: Path) -> None:
        assert client.get("/generation").body["pending"] is None
        (root / "interfaces/closed.yaml").unlink()
        reload = client.post("/reload?wait=1").body
        assert (reload["is_new"], reload["pending"]["risks"]) == (False, ["interface `closed` removed"])
        assert client.get("/generation").body["pending"] == reload["pending"]
        assert "weir_pending 1.0" in client.get("/metrics").raw.decode()
        apply_pending(Workspace.open(root), reload["pending"]["digest"])
        assert client.post("/reload?wait=1").body["removed"] == ["closed"]
        assert client.get("/generation").body["pending"] is None

    def test_settings_that_count_from_the_next_start_on_are_told(self, client: Client, root: Path) -> None:
        (root / "weir.yaml").write_text("kind: settings\nstate: elsewhere\npolicy: {protected: true}\n")
        assert client.post("/reload?wait=1").body["fixed"] == ["state"]
        assert client.get("/generation").body["fixed"] == ["state"]


def test_figures_count_runs_requests_and_findings(client: Client) -> None:
    client.run("echo")
    client.get("/runs/x")
    page = client.get("/metrics").raw.decode()
    assert 'weir_runs_total{interface="echo",status="succeeded",trigger="api"} 1.0' in page
    assert 'weir_run_seconds_count{interface="echo"} 1.0' in page
    assert "weir_generation 1.0" in page
    assert "weir_reloads_total 1.0" in page
    assert 'weir_findings{severity="error"} 0.0' in page
    assert 'weir_requests_total{method="GET",route="/runs/{id}",status="404"} 1.0' in page


def test_a_server_that_stops_takes_no_more_runs(client: Client) -> None:
    client.engine.drain()
    assert client.get("/ready").status == 503
    assert client.get("/health").status == 200
    assert (client.run("echo").status, client.run("echo").body["code"]) == (503, "stopping")
