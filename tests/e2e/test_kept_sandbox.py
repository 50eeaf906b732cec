"""A project on the embedded sandbox: what was written there is there for the next run, and the mirror stays true."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import duckdb
import pytest

from tests.support.processes.command import WEIR, shipped_project, weir

from .conftest import Ran

DAY = 86_400


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return shipped_project(tmp_path / "project")


@contextmanager
def by_hand(project: Path) -> Iterator[str]:
    """The project's sandbox, served by hand; its address."""
    command = [str(WEIR), "sandbox", "--state", str(project / ".weir" / "sandbox")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.terminate()


def control(url: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(f"{url}/_sandbox{path}", data), timeout=10) as reply:
        return json.load(reply)


def act(url: str, path: str, **params: str) -> Any:
    return control(url, "/act", {"method": "POST", "path": path, "params": params})


def staged(project: Path, table: str) -> dict[str, Any]:
    with duckdb.connect(str(project / ".weir" / "staging" / "stripe_main.duckdb"), read_only=True) as mirror:
        return dict(mirror.execute(f"SELECT id, created FROM {table} WHERE _deleted_at IS NULL").fetchall())


def test_mirror_after_writes_and_a_day_holds_all_objects(tmp_path: Path, copy_of_first_run: Ran) -> None:
    project = tmp_path / "project"
    copy_of_first_run(project)
    seeded = staged(project, "customers")
    assert len(seeded) > 50
    with by_hand(project) as url:
        made = act(url, "/v1/customers", name="Written", email="written@mail.example")["id"]
        changed = next(iter(seeded))
        act(url, f"/v1/customers/{changed}", email="changed@mail.example")
    weir(project, "run").succeeded()
    assert staged(project, "customers").keys() == {*seeded, made}
    with by_hand(project) as url:
        control(url, "/clock", {"advance": DAY})
        later = act(url, "/v1/customers", name="A day later")["id"]
    weir(project, "run").succeeded()
    now = staged(project, "customers")
    assert now.keys() == {*seeded, made, later}
    assert seeded.items() <= now.items()
    assert 0.9 * DAY < (now[later] - now[made]).total_seconds() < 1.1 * DAY
    asked = f"SELECT email FROM customers WHERE id = '{changed}'"
    assert "changed@mail.example" in weir(project, "query", "stripe_main", asked).succeeded().out
    weir(project, "verify", "stripe_main").succeeded()


def test_run_beside_a_served_sandbox_uses_it(tmp_path: Path, copy_of_first_run: Ran) -> None:
    project = tmp_path / "project"
    copy_of_first_run(project)
    with by_hand(project) as url:
        control(url, "/config", {"event_delay": 0})
        weir(project, "run").succeeded()
        assert sum(control(url, "/")["requests"].values()) > 5


def test_every_verb_meets_the_same_account(project: Path) -> None:
    told = [weir(project, "test-connection", "stripe_main", "--format", "json").succeeded().out for _ in range(2)]
    accounts = {json.loads(each.splitlines()[0])["facts"]["account"].partition(" ")[0] for each in told}
    with by_hand(project) as url:
        accounts.add(control(url, "/")["account"])
    assert len(accounts) == 1


def test_a_deleted_sandbox_is_another_account_and_the_run_says_what_to_do(project: Path) -> None:
    weir(project, "run", "customers_lifetime_value").succeeded()
    shutil.rmtree(project / ".weir" / "sandbox")
    refused = weir(project, "run", "customers_lifetime_value")
    assert refused.code == 1
    assert "mirrors account acct_" in refused.out
    assert "delete the file to read everything again" in refused.out
    shutil.rmtree(project / ".weir" / "staging")
    weir(project, "run", "customers_lifetime_value").succeeded()
    shutil.rmtree(project / ".weir")
    weir(project, "run", "customers_lifetime_value").succeeded()
