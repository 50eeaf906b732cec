"""An interface is asked to run while it runs: it is refused, or waits for its turn, as the interface says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from engine.run import LEASE_PREFIX, RunStore, process_is_alive, take_lease
from engine.stores import open_run_store
from tests.support.serving import make_project

from .conftest import Client, Reply
from .test_runs import ended, wait_for

TURNS = """
kind: interface
name: turns
triggers: {api: true}
concurrency: {on_overlap: wait}
parameters:
  size: {type: integer, default: 1}
steps:
  - name: count
    respond:
      sql: |
        WITH many AS (SELECT unnest(range({{ size }})) AS n)
        SELECT count(*) AS pairs FROM many a JOIN many b ON a.n + b.n <> -1
"""
LONG = 200_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project", turns=TURNS)


def order(client: Client, size: int) -> str:
    reply = client.post("/interfaces/turns/runs", {"parameters": {"size": size}})
    assert reply.status == 202
    run_id: str = reply.body["id"]
    return run_id


def test_runs_come_one_after_the_other_in_the_order_in_which_they_were_asked_for(client: Client) -> None:
    first = order(client, LONG)
    second = order(client, 2)
    replies: list[Reply] = []
    thread = threading.Thread(target=lambda: replies.append(client.run("turns", parameters={"size": 3})))
    thread.start()
    waiting = wait_for(lambda: len(found := client.get("/runs?status=waiting").body["runs"]) == 2 and found)
    assert second in {each["id"] for each in waiting}
    assert all(each["started"] is None for each in waiting)
    assert "weir_runs_waiting 2.0" in client.get("/metrics").raw.decode()
    client.post(f"/runs/{first}/cancel")
    thread.join()
    assert (replies[0].status, replies[0].body["responses"][0]["data"]) == (200, [{"pairs": 9}])
    assert ended(client, second)["responses"][0]["data"] == [{"pairs": 4}]
    runs = [client.get(f"/runs/{each}").body for each in (first, second, replies[0].body["id"])]
    assert [each["status"] for each in runs] == ["stopped", "succeeded", "succeeded"]
    assert all(before["ended"] <= after["started"] for before, after in pairwise(runs))


def test_one_that_waits_takes_no_thread_from_others_and_is_cancelled_at_once(client: Client) -> None:
    first = order(client, LONG)
    waiting = [order(client, 1) for _ in range(client.engine.options.parallel + 2)]
    assert client.run("echo").status == 200
    assert client.post(f"/runs/{waiting[0]}/cancel").status == 202
    run = client.get(f"/runs/{waiting[0]}").body
    assert (run["status"], run["message"]) == ("stopped", "it was stopped before it began")
    assert client.get(f"/runs/{first}").body["status"] == "running"


def test_those_that_wait_do_not_begin_when_the_server_stops(client: Client) -> None:
    first, second = order(client, LONG), order(client, 1)
    client.engine.drain()
    assert client.get(f"/runs/{first}").body["status"] == "stopped"
    assert client.get(f"/runs/{second}").body["message"] == "it was stopped before it began"


@contextmanager
def running_elsewhere(client: Client, interface: str) -> Iterator[RunStore]:
    """As when another machine runs it."""
    runs = open_run_store(client.engine.workspace.paths.runs)
    elsewhere = "pid 7 on elsewhere/1, since 2026-01-01 00:00:00.000000 UTC"
    name = f"{LEASE_PREFIX}{interface}"
    token = take_lease(runs, name, elsewhere, client.engine.now(), 3600, process_is_alive)
    assert token is not None
    yield runs
    runs.release(name, token)
    runs.close()


def test_a_run_of_another_process_is_waited_for_too(client: Client) -> None:
    with running_elsewhere(client, "turns"):
        run_id = order(client, 2)
        known = client.engine.runs.find(run_id)
        assert known is not None
        wait_for(lambda: any(each.not_before is not None for each in client.engine.runs._waiting))
        assert client.get(f"/runs/{run_id}").body["ended"] is None
    run = ended(client, run_id)
    assert (run["status"], run["responses"][0]["data"]) == ("succeeded", [{"pairs": 4}])


def test_one_that_waits_for_another_process_can_be_cancelled(client: Client) -> None:
    with running_elsewhere(client, "turns"):
        run_id = order(client, 2)
        wait_for(lambda: any(each.not_before is not None for each in client.engine.runs._waiting))
        assert client.post(f"/runs/{run_id}/cancel").status == 202
        assert ended(client, run_id)["status"] == "stopped"


def test_who_does_not_wait_is_told_who_runs_it_elsewhere(client: Client) -> None:
    with running_elsewhere(client, "echo"):
        reply = client.run("echo")
    assert (reply.status, reply.body["code"]) == (409, "busy")
    assert "`echo` is already running: pid 7 on elsewhere" in reply.body["detail"]
