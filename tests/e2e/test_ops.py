"""Writes of which nobody knows, from the run that left them to the one that goes on: `weir ops` and `weir catalog`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from engine.app.state import utc_now
from engine.app.workspace import Workspace
from engine.run import describe_process
from engine.stores import open_run_store
from tests.support.processes.command import Done, weir, without_network

KEY = "sk_test_weir_sandbox"
CONNECTION = """\
kind: connection
name: stripe
connector: stripe
is_target: true
client_secret: {env: STRIPE_SECRET_KEY}
base_url: URL
grants: {write: [customers]}
"""
PUSH = """\
kind: interface
name: push
steps:
  - name: people
    export:
      sql: SELECT 'ada' AS ref, 'Ada' AS name UNION ALL SELECT 'bob', 'Bob'
      connection: stripe
      entity: customers
      match: {"metadata[ref]": ref}
      map: {name: name}
"""
ASK = """\
kind: interface
name: ask
steps:
  - name: greet
    call:
      sql: SELECT 'eve' AS ref
      connection: stripe
      function: customers.create
      parameters: {"metadata[ref]": ref}
      key: [ref]
"""


class Project:
    """A project that writes to a sandbox of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        for name, text in (
            ("connections/stripe", CONNECTION.replace("URL", url)),
            ("interfaces/push", PUSH),
            ("interfaces/ask", ASK),
        ):
            file = folder / f"{name}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def weir(self, *arguments: str) -> Done:
        return weir(self.folder, *arguments, environment={"STRIPE_SECRET_KEY": KEY}, hasty=True)

    def ops(self, *arguments: str) -> list[dict[str, Any]]:
        lines = self.weir("ops", "list", "--format", "json", *arguments).succeeded().out.splitlines()
        return [json.loads(line) for line in lines]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.url}/_sandbox{path}", data, method=method), timeout=10) as reply:
            return json.load(reply)

    def break_writes(self, **facts: Any) -> None:
        self.control("POST", "/faults", {"kind": "error", "method": "POST", "status": 500, **facts})

    def mend(self) -> None:
        self.control("DELETE", "/faults")

    def customers(self) -> dict[str, list[str]]:
        """The ids of those that carry a `ref`, by it."""
        request = Request(f"{self.url}/v1/customers?{urlencode({'limit': 100})}")
        request.add_header("Authorization", f"Bearer {KEY}")
        found: dict[str, list[str]] = {}
        with urlopen(request, timeout=10) as reply:
            for each in json.load(reply)["data"]:
                if "ref" in each["metadata"]:
                    found.setdefault(each["metadata"]["ref"], []).append(each["id"])
        return found


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    command = [sys.executable, "-m", "engine.sandbox", "--until-stdin-closes", "--size", "empty"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Project(tmp_path / "project", json.loads(process.stdout.readline())["url"])
        process.stdin.close()
        process.wait(10)


def test_an_export_goes_on_as_a_person_says(project: Project) -> None:
    project.break_writes(path="/v1/customers", applied=True)
    failed = project.weir("run", "push")
    assert failed.code == 1
    project.mend()
    made = project.customers()
    assert {ref: len(ids) for ref, ids in made.items()} == {"ada": 1, "bob": 1}, "done, and nobody heard of it"
    ops = {each["key"][0]: each for each in project.ops("--state", "unknown", "--step", "push")}
    assert set(ops) == {"ada", "bob"}
    run = ops["ada"]["run"]
    shown = project.weir("runs", "show", run).succeeded().out
    assert f"writes to providers: 2 unknown; `weir ops list --run {run}` lists them" in shown
    assert json.loads(project.weir("runs", "show", run, "--format", "json").out)["writes"] == {"unknown": 2}
    page = project.weir("ops", "show", ops["ada"]["id"]).succeeded().out
    for part in ("customers.create", 'metadata[ref] = "ada"', "status    500", "--done --object ID` or `--not-done`"):
        assert part in page

    nameless = project.weir("ops", "resolve", ops["ada"]["id"], "--done")
    assert (nameless.code, nameless.out) == (64, "")
    assert "say which one it made" in nameless.err
    (ada,) = made["ada"]
    done = project.weir("ops", "resolve", ops["ada"]["id"], "--done", "--object", ada).succeeded()
    assert f"its row now belongs to {ada}" in done.out
    project.control("POST", "/act", {"method": "DELETE", "path": f"/v1/customers/{made['bob'][0]}", "params": {}})
    project.weir("ops", "resolve", ops["bob"]["id"], "--not-done").succeeded()
    again = project.weir("ops", "resolve", ops["bob"]["id"], "--done", "--object", "cus_x")
    assert again.code == 64
    assert "needs no decision" in again.err

    project.weir("run", "push").succeeded()
    now = project.customers()
    assert now["ada"] == [ada]
    assert len(now["bob"]) == 1
    assert now["bob"] != made["bob"]
    assert [each["key"] for each in project.ops("--limit", "1")] == [["bob"]]
    project.weir("run", "push").succeeded()
    assert project.customers() == now
    assert len(project.ops()) == 3


def test_a_call_is_put_aside_until_somebody_says(project: Project) -> None:
    project.break_writes(path="/v1/customers")
    assert project.weir("run", "ask").code == 1
    project.mend()
    settled = project.weir("run", "ask")
    (op,) = project.ops()
    assert op["state"] == "quarantined"
    assert f"weir ops show {op['id']}" in settled.out + settled.err
    assert project.customers() == {}
    assert project.weir("run", "ask").code == 1, "its row is refused as long as nobody says"
    project.weir("ops", "resolve", op["id"], "--not-done").succeeded()
    project.weir("run", "ask").succeeded()
    assert {ref: len(ids) for ref, ids in project.customers().items()} == {"eve": 1}
    project.weir("run", "ask").succeeded()
    assert [each["state"] for each in project.ops()] == ["done", "dropped"]
    found = json.loads(project.weir("ops", "show", op["id"], "--format", "json").succeeded().out)
    assert "was not done" in found["note"]


def test_the_ledger_can_be_read_while_a_run_goes_on(project: Project) -> None:
    project.break_writes(path="/v1/customers")
    assert project.weir("run", "push").code == 1
    first = project.ops()[0]
    with_lease = open_run_store(Workspace.open(project.folder).paths.runs)
    now = utc_now()
    token = with_lease.acquire("interface:push", describe_process(now), now, 600)
    assert token is not None
    assert len(project.ops()) == 2
    project.weir("ops", "show", first["id"]).succeeded()
    busy = project.weir("ops", "resolve", first["id"], "--not-done")
    assert busy.code == 5
    assert "`push` is running" in busy.err
    assert project.ops()[0]["state"] == "unknown"
    with_lease.release("interface:push", token)
    with_lease.close()
    project.weir("ops", "resolve", first["id"], "--not-done").succeeded()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ops", "list", "--state", "lost"), "'lost' is not one of"),
        (("ops", "list", "--run", "2020"), "no run `2020`"),
        (("ops", "list", "--step", "push.people"), "no writes of a step `push.people`"),
        (("ops", "list", "--limit", "0"), "0 is not in the range"),
        (("ops", "show", "nothing"), "`weir ops list` lists them"),
        (("ops", "show"), "missing argument"),
        (("ops", "resolve", "nothing"), "`--done` or `--not-done`"),
        (("ops", "resolve", "nothing", "--done"), "no write `nothing`"),
        (("catalog", "customers.creat"), "`customers.create`"),
        (("catalog", "custmers", "--writes"), "`customers`"),
        (("catalog", "--writes", "--unreadable"), "stands alone"),
    ],
)
def test_bad_input_is_refused_with_words(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    folder = tmp_path / "project"
    Project(folder, "http://127.0.0.1:9")
    (folder / ".weir").mkdir()
    open_run_store(folder / ".weir" / "state.db").close()
    done = weir(folder, *arguments, environment=without_network(tmp_path))
    assert done.code == 64
    assert words.lower() in done.err.lower()
    assert done.out == ""


def test_what_can_be_written_is_known_without_a_network(tmp_path: Path) -> None:
    environment = without_network(tmp_path)
    listed = weir(tmp_path, "catalog", "--writes", environment=environment).succeeded()
    assert "invoices.finalize" in listed.out
    assert "268 functions" in listed.err
    page = weir(tmp_path, "catalog", "customers", "--writes", environment=environment).succeeded().out
    assert "metadata[KEY]" in page
    found = json.loads(
        weir(tmp_path, "catalog", "refunds.create", "--format", "json", environment=environment).succeeded().out
    )
    assert found["effect"] == "money"


def test_a_project_without_writes_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    Project(folder, "http://127.0.0.1:9")
    done = weir(folder, "ops", "list").succeeded()
    assert (done.out, done.err) == ("", "nothing was written to a provider yet\n")
    assert not (folder / ".weir").exists()
