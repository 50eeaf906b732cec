"""A persistent sandbox as a process: killed at any time, shared by users, locked by one server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from engine.app.running.sandbox import embedded_sandbox
from engine.connector.sandbox import SANDBOX_KEY

COMMAND = [sys.executable, "-m", "engine.sandbox", "--customers", "2", "--state"]


def ask(url: str, method: str, path: str, form: dict[str, str] | None = None, key: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {SANDBOX_KEY}", **({"Idempotency-Key": key} if key else {})}
    data = urlencode(form).encode() if form is not None else None
    with urlopen(Request(url + path, data, headers, method=method), timeout=10) as reply:
        return json.load(reply)


def everything(url: str, path: str) -> list[Any]:
    found: list[Any] = []
    while True:
        after = {"starting_after": found[-1]["id"]} if found else {}
        page = ask(url, "GET", f"{path}?{urlencode({'limit': '100', **after})}")
        found += page["data"]
        if not page["has_more"]:
            return found


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A sandbox served by a separate command."""
    with subprocess.Popen([*COMMAND, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"], process
        process.kill()


def write_until_killed(url: str, run: int, answered: dict[str, str]) -> str:
    """Create customers until the server is gone. Returns the name of the one without a response."""
    number = 0
    while True:
        name = f"{run}-{number}"
        try:
            answered[name] = ask(url, "POST", "/v1/customers", {"name": name}, name)["id"]
        except (URLError, OSError, HTTPException):
            return name
        number += 1


def test_acknowledged_writes_survive_kills_and_retried_writes_happen_once(tmp_path: Path) -> None:
    answered: dict[str, str] = {}
    lost: list[str] = []
    for run in range(8):
        with served(tmp_path) as (url, process):
            for name in lost:  # retried under the same key
                answered[name] = ask(url, "POST", "/v1/customers", {"name": name}, name)["id"]
            killer = threading.Timer(0.05 + 0.037 * run, process.send_signal, [signal.SIGKILL])
            killer.start()
            lost = [write_until_killed(url, run, answered)]
            killer.join()
    with served(tmp_path) as (url, _):
        customers = everything(url, "/v1/customers")
        written = {each["id"]: each["name"] for each in customers if "-" in (each["name"] or "")}
        assert {written.get(identifier): identifier for identifier in answered.values()} == answered
        assert len(written.values()) == len(set(written.values()))
        made = [each["data"]["object"]["id"] for each in everything(url, "/v1/events") if each["request"]["id"]]
        assert sorted(made) == sorted(written)
        for name, identifier in list(answered.items())[::7]:
            assert ask(url, "POST", "/v1/customers", {"name": name}, name)["id"] == identifier
    assert len(answered) > 50


def test_concurrent_users_share_one_server_that_outlives_the_first(tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = embedded_sandbox(os.environ, state)
    one = first.__enter__()
    with embedded_sandbox(os.environ, state) as two:
        assert two.url == one.url
        made = ask(one.url, "POST", "/v1/customers", {"name": "Ada"})["id"]
        assert ask(two.url, "GET", f"/v1/customers/{made}")["name"] == "Ada"
        begun = time.monotonic()
        first.__exit__(None, None, None)
        assert time.monotonic() - begun < 4  # does not wait for the second
        later = ask(two.url, "POST", "/v1/customers", {"name": "Bob"})["id"]
    with embedded_sandbox(os.environ, state) as three:
        assert {ask(three.url, "GET", f"/v1/customers/{each}")["name"] for each in (made, later)} == {"Ada", "Bob"}


def test_concurrent_starts_share_one_world(tmp_path: Path) -> None:
    made: list[tuple[str, str]] = []

    def use(number: int) -> None:
        for turn in range(3):
            with embedded_sandbox(os.environ, tmp_path / "state") as sandbox:
                name = f"{number}/{turn}"
                made.append((ask(sandbox.url, "POST", "/v1/customers", {"name": name})["id"], name))

    threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with embedded_sandbox(os.environ, tmp_path / "state") as sandbox:
        found = {(each["id"], each["name"]) for each in everything(sandbox.url, "/v1/customers")}
    assert len(made) == 12
    assert set(made) <= found


def test_a_served_state_is_shared_and_not_served_twice(tmp_path: Path) -> None:
    with served(tmp_path) as (url, process):
        with embedded_sandbox(os.environ, tmp_path) as sandbox:
            assert sandbox.url == url
        assert ask(url, "GET", "/v1/customers")["data"]  # still running
        refused = subprocess.run([*COMMAND, str(tmp_path)], capture_output=True, text=True, timeout=30)
        assert refused.returncode == 5
        assert f"process {process.pid} holds the state" in refused.stderr
        assert url in refused.stderr


def test_a_new_server_starts_after_the_first_is_killed_in_use(tmp_path: Path) -> None:
    with served(tmp_path) as (url, process), embedded_sandbox(os.environ, tmp_path) as user:
        made = ask(user.url, "POST", "/v1/customers", {"name": "Ada"})["id"]
        process.kill()
        process.wait()
        with embedded_sandbox(os.environ, tmp_path) as sandbox:
            assert sandbox.url != url
            assert ask(sandbox.url, "GET", f"/v1/customers/{made}")["name"] == "Ada"


@pytest.mark.parametrize("spoil", ["file", "folder"])
def test_an_unusable_state_is_rejected_with_a_reason(tmp_path: Path, spoil: str) -> None:
    if spoil == "file":
        (tmp_path / "world.db").write_bytes(b"no database" * 1000)
        folder = tmp_path
    else:
        (tmp_path / "state").write_text("a file where the folder should be")
        folder = tmp_path / "state"
    refused = subprocess.run([*COMMAND, str(folder)], capture_output=True, text=True, timeout=30)
    assert refused.returncode == 3
    assert refused.stderr.startswith("error: the state ")
    assert "Traceback" not in refused.stderr
