"""Runs by request."""

from __future__ import annotations

import threading
import time
from http.client import HTTPConnection
from typing import Any

import pytest

from .conftest import Client

WISHES = [
    {"id": "b", "amount": "1.50", "made": "2026-01-01T02:00:00+02:00"},
    {"id": "a", "amount": 3, "kind": None, "tags": ["x", None], "note": {"deep": [1, "é"]}},
]


def test_a_run_that_is_waited_for_answers_with_what_it_responds(client: Client) -> None:
    reply = client.run("echo", rows={"wishes": WISHES}, parameters={"least": 1})
    assert reply.status == 200
    run = reply.body
    assert (run["status"], run["by"], run["generation"], run["exit_code"]) == ("succeeded", "tester", 1, 0)
    [response] = run["responses"]
    assert response == {
        "step": "echo.answer",
        "rows": 2,
        "is_whole": True,
        "data": [
            {"id": "a", "amount": "3.00", "made": None, "kind": "plain"},
            {"id": "b", "amount": "1.50", "made": "2026-01-01T00:00:00", "kind": "plain"},
        ],
    }
    assert [(each["step"], each["counts"]["read"]) for each in run["steps"][:1]] == [("rows.wishes", 2)]


def test_given_rows_are_all_that_the_table_has_from_then_on(client: Client) -> None:
    client.run("echo", rows={"wishes": WISHES})
    assert client.run("echo", rows={"wishes": [{"id": "c"}]}).body["responses"][0]["rows"] == 1
    assert client.run("echo", rows={"wishes": []}).body["responses"][0]["rows"] == 0


def test_parameters_change_what_a_box_sees(client: Client) -> None:
    client.run("echo", rows={"wishes": WISHES})
    data = client.run("echo", parameters={"least": 2}).body["responses"][0]["data"]
    assert [row["id"] for row in data] == ["a"]


def test_a_run_that_is_not_waited_for_is_found_again(client: Client) -> None:
    reply = client.post("/interfaces/echo/runs", {})
    assert reply.status == 202
    run_id = reply.body["id"]
    assert ended(client, run_id)["status"] == "succeeded"
    assert [run["id"] for run in client.get("/runs?interface=echo&status=succeeded").body["runs"]] == [run_id]
    assert client.get("/runs?interface=slow").body["runs"] == []


def test_runs_of_the_command_line_are_listed_with_their_steps(client: Client) -> None:
    run_id = client.run("echo").body["id"]
    client.engine.runs._known.clear()
    shown = client.get(f"/runs/{run_id}").body
    assert (shown["status"], shown["generation"]) == ("succeeded", None)
    assert [step["step"] for step in shown["steps"]] == ["echo.answer"]
    assert shown["responses"][0]["step"] == "echo.answer"


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ({"rows": {"tally": []}}, "does not take rows for `tally`"),
        ({"rows": {"wishes": [{"id": "a"}, {"id": "a"}]}}, "row 1 of `wishes` has the key of a row before it"),
        ({"rows": {"wishes": [{"amount": 1}]}}, "`id` is required"),
        ({"rows": {"wishes": [{"id": 1}]}}, "column `id`: expected text"),
        ({"rows": {"wishes": [{"id": "a", "amount": "1.505"}]}}, "fits decimal(18,2)"),
        ({"rows": {"wishes": [{"id": "a", "made": "2026-01-01"}]}}, "a timestamp with an offset"),
        ({"rows": {"wishes": [{"id": "a", "colour": "red"}]}}, "no column `colour`"),
        ({"parameters": {"least": "x; DROP TABLE wishes"}}, "expected a whole number"),
        ({"parameters": {"least": None}}, "`parameters.least`: expected text, a number, true or false"),
        ({"parameters": {"least": [1]}}, "`parameters.least`: expected text, a number, true or false"),
        ({"parameters": {"other": 1}}, "no interface of this run has a parameter `other`"),
        ({"sql": "SELECT 1"}, "`sql`: extra inputs"),
        ({"wait": "yes"}, "`wait`"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_done(shared: Client, order: Any, told: str) -> None:
    reply = shared.post("/interfaces/echo/runs", order)
    assert (reply.status, reply.body["code"]) == (422, "invalid")
    assert told in reply.body["detail"]
    assert shared.get("/runs").body["runs"] == []


def test_ten_thousand_rows_are_taken_and_no_more(client: Client) -> None:
    rows = [{"id": f"{number}"} for number in range(10_001)]
    assert client.run("echo", rows={"wishes": rows[:-1]}).body["responses"][0]["rows"] == 10_000
    assert client.run("echo", rows={"wishes": rows}).status == 422


def test_an_interface_without_the_trigger_cannot_be_run(shared: Client) -> None:
    reply = shared.run("closed")
    assert (reply.status, reply.body["code"]) == (403, "not_by_api")
    assert shared.run("nothing").status == 404


def test_a_run_can_be_cancelled_and_a_second_one_is_refused_meanwhile(client: Client) -> None:
    run_id = client.post("/interfaces/slow/runs", {}).body["id"]
    refused = client.run("slow")
    assert (refused.status, refused.body["code"], refused.body["run"]) == (409, "busy", run_id)
    assert client.post(f"/runs/{run_id}/cancel").status == 202
    assert ended(client, run_id)["status"] == "stopped"
    assert client.post(f"/runs/{run_id}/cancel").status == 409
    assert client.post("/runs/20260101-000000-000000/cancel").status == 404


def test_who_waits_for_a_run_that_is_cancelled_is_told(client: Client) -> None:
    replies = []
    thread = threading.Thread(target=lambda: replies.append(client.run("slow")))
    thread.start()
    [going_on] = wait_for(lambda: client.get("/runs?status=running").body["runs"])
    client.post(f"/runs/{going_on['id']}/cancel")
    thread.join()
    assert (replies[0].status, replies[0].body["code"], replies[0].body["run"]) == (409, "stopped", going_on["id"])


def test_events_are_streamed_to_the_end_and_go_on_where_they_were_left(client: Client) -> None:
    run_id = client.run("echo").body["id"]
    reply = client.get(f"/runs/{run_id}/events")
    assert reply.headers["content-type"].startswith("text/event-stream")
    kinds = [line.removeprefix("event: ") for line in reply.raw.decode().splitlines() if line.startswith("event: ")]
    assert kinds == ["run_started", "task_started", "task_ended", "run_ended", "end"]
    rest = client.get(f"/runs/{run_id}/events", headers={"Last-Event-ID": "3"}).raw.decode()
    assert rest.startswith("id: 4\nevent: run_ended\n")
    assert client.get(f"/runs/{run_id}/events", headers={"Last-Event-ID": "4"}).status == 204
    assert client.get(f"/runs/{run_id}/events", headers={"Last-Event-ID": "x"}).status == 400
    assert client.get("/runs/20260101-000000-000000/events").status == 404


def test_events_come_while_the_run_goes_on(client: Client) -> None:
    run_id = client.post("/interfaces/slow/runs", {}).body["id"]
    connection = HTTPConnection(client.listening.host, client.listening.port, timeout=30)
    connection.request("GET", f"/runs/{run_id}/events", headers={"Authorization": f"Bearer {client.token}"})
    answer = connection.getresponse()
    assert answer.readline() == b"id: 1\n"
    assert client.get(f"/runs/{run_id}").body["status"] == "running"
    client.post(f"/runs/{run_id}/cancel")
    assert answer.read().endswith(b"event: end\ndata: {}\n\n")
    connection.close()


def ended(client: Client, run_id: str) -> Any:
    """The run when it is over."""
    return wait_for(lambda: found if (found := client.get(f"/runs/{run_id}").body)["ended"] else None)


def wait_for(look: Any, seconds: float = 30) -> Any:
    """What `look` gives when it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")
