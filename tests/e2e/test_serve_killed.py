"""A server that is killed at any moment: what was good is live again, and no start is lost or made twice."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from random import Random
from threading import Event, Thread

import pytest

from tests.support.processes.command import weir
from tests.support.processes.served import Server, new_token, wait_for
from tests.support.serving import make_project

CONNECTION = """
kind: connection
name: shop
connector: stripe
is_source: true
client_secret: {env: STRIPE_SECRET_KEY}
base_url: sandbox
"""
LOAD = """
kind: interface
name: load
schedule: {every: 1s}
steps:
  - name: load
    import:
      connection: shop
      into: tally
      sql: SELECT id, NUMBER AS amount FROM customers LIMIT 20
"""
BEAT = """
kind: interface
name: beat
schedule: {every: 1s}
steps:
  - name: answer
    respond: {sql: "SELECT NUMBER AS one"}
"""


@pytest.mark.parametrize("kills", [4, pytest.param(10, marks=pytest.mark.long)])
def test_server_killed_at_any_time_loses_no_start_and_repeats_none(tmp_path: Path, kills: int) -> None:
    project = make_project(tmp_path / "project")
    (project / "connections").mkdir()
    (project / "connections/shop.yaml").write_text(CONNECTION.lstrip())
    (project / "interfaces/closed.yaml").unlink()
    write(project, 0)
    server = Server(project, new_token(project))
    stop, random = Event(), Random(kills)
    editor = Thread(target=edit, args=(project, stop))
    try:
        for number in range(kills):
            server.start(until_it_listens=False)
            server.wait_log("server listens")
            if number == 0:
                editor.start()
            time.sleep(random.uniform(0.0, 2.5))
            server.kill()
    finally:
        stop.set()
        if editor.ident is not None:
            editor.join()
        if server.is_alive:
            server.kill()
    broken = "kind: interface\nname: beat\nsteps: nothing\n"
    (project / "interfaces/beat.yaml").write_text(broken)
    try:
        server.start()
        generations(server)
        wait_for(lambda: len(server.log("start", start=-1)) >= 4, server)
        assert server.ask("GET", "/findings")[1]["errors"] >= 1
        assert server.ask("GET", "/ready")[0] == 200
        wait_for(lambda: any(each["status"] == "succeeded" for each in server.log("run over", start=-1)), server)
        assert server.end() == 0
    finally:
        if server.is_alive:
            server.kill()
    check_starts(server, project)


def generations(server: Server) -> None:
    """Each start went on from the last good generation that the one before it had told of, or from a later one."""
    last = 0
    for start in range(len(server.starts)):
        [listens] = server.log("server listens", start=start)
        assert listens["generation"] >= last
        last = max([listens["generation"], *(each["generation"] for each in server.log("generation is live", start))])


def check_starts(server: Server, project: Path) -> None:
    """Every due time was started once; what was started has a run, also what was cut; no run is left open."""
    lines = weir(project, "runs", "--limit", "1000", "--format", "json").succeeded().out.splitlines()
    kept = {each["id"]: each["status"] for each in map(json.loads, lines)}
    started = [each for each in server.log("start") if each["attempt"] == 0]
    by_due = {(each["interface"], each["due"]): {each["run"]} for each in started}
    for each in started:
        by_due[each["interface"], each["due"]].add(each["run"])
    assert all(len(runs) == 1 for runs in by_due.values()), "a due time has one run, also when it was taken over"
    refused = {each["run"] for each in server.log("run over") if each["status"] in ("refused", "stopped")}
    lost = {each["run"] for each in started} - set(kept) - refused
    assert lost == set()
    assert Counter(each["run"] for each in server.log("run over")).most_common(1)[0][1] == 1
    assert set(kept.values()) <= {"succeeded", "abandoned", "stopped", "failed"}
    assert "succeeded" in kept.values()


def edit(project: Path, stop: Event) -> None:
    """Save new versions of the interfaces, one in four of them broken, until told to stop."""
    number = 0
    while not stop.wait(0.15):
        number += 1
        write(project, number)


def write(project: Path, number: int) -> None:
    for name, text in (("load", LOAD), ("beat", BEAT)):
        column = "nothing.at.all" if number % 4 == 3 and name == "beat" else str(number)
        file = project / f"interfaces/{name}.yaml"
        unfinished = file.with_suffix(".new")
        unfinished.write_text(text.replace("NUMBER", column).lstrip())
        unfinished.replace(file)
