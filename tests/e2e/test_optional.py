"""An optional table, as a user meets it: planned, tested, refused, run without, and told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.mirror.mirrored import permissions_for
from tests.support.processes.command import Done, shipped_project, weir

KEY = "rk_test_" + "o" * 24


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    grant = f"{KEY}={','.join(sorted(permissions_for(['customers', 'charges', 'events'])))}"
    command = [sys.executable, "-m", "engine.sandbox", "--until-stdin-closes", "--key", grant]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        assert process.stdin is not None
        process.stdin.close()


def test_a_run_goes_on_without_an_optional_table(tmp_path: Path, url: str) -> None:
    folder = shipped_project(tmp_path / "project")
    file = folder / "connections" / "stripe_main.yaml"
    text = file.read_text().replace("base_url: sandbox\n", f"base_url: {url}\n")

    def ask(*arguments: str) -> Done:
        return weir(folder, *arguments, environment={"STRIPE_SECRET_KEY": KEY})

    file.write_text(text)
    refused = ask("run", "customers_lifetime_value")
    assert refused.code == 3
    assert "rak_dispute_read" in refused.out + refused.err
    assert ask("test-connection", "stripe_main").code == 3

    file.write_text(text + "optional: [disputes]\n")
    assert "`disputes` is optional" in ask("plan", "customers_lifetime_value").succeeded().out
    planned = json.loads(ask("plan", "customers_lifetime_value", "--format", "json").succeeded().out)
    assert planned["connections"][0]["optional"] == ["disputes"]

    done = ask("run", "customers_lifetime_value").succeeded()
    said = done.out + done.err
    assert "not read: it is optional" in said
    assert "`disputes` could not be read, and is optional" in said
    assert "rak_dispute_read" in said
    assert "(W602)" in said
    rows = ask("query", "schema", "SELECT count(*) AS n FROM customers", "--format", "json").succeeded()
    assert json.loads(rows.out)["n"] > 0

    status = json.loads(ask("status", "stripe_main", "--format", "json").succeeded().out)
    told = {table["name"]: table for table in status["accounts"][0]["tables"]}
    assert (told["disputes"]["optional"], told["disputes"]["stale"], told["disputes"]["rows"]) == (True, True, 0)
    assert "nothing (optional)" in ask("status", "stripe_main").succeeded().out
    last = json.loads(ask("runs", "--format", "json").succeeded().out.splitlines()[0])
    assert "not read: it is optional" in ask("runs", "show", last["id"]).succeeded().out

    asked = ask("query", "stripe_main", "SELECT count(*) AS n FROM disputes", "--format", "json").succeeded()
    assert json.loads(asked.out) == {"n": 0}
    assert "(W602)" in asked.err


def test_a_connection_is_tested_with_what_is_optional(tmp_path: Path, url: str) -> None:
    folder = shipped_project(tmp_path / "project")
    for name in ("monthly_recurring_revenue", "invoice_lines"):
        (folder / "interfaces" / f"{name}.yaml").unlink()
        (folder / "schemas" / f"{name}.yaml").unlink()
    file = folder / "connections" / "stripe_main.yaml"
    text = file.read_text().replace("base_url: sandbox\n", f"base_url: {url}\n")
    file.write_text(text + "optional: [disputes]\n")
    tested = weir(folder, "test-connection", environment={"STRIPE_SECRET_KEY": KEY}).succeeded()
    assert "optional, and not readable" in tested.out
    assert "success: the connection works" in tested.out
    file.write_text(text)
    assert weir(folder, "test-connection", environment={"STRIPE_SECRET_KEY": KEY}).code == 3
