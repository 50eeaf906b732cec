"""Runs on the embedded sandbox: rows arrive, and arrive once."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.stores import open_run_store
from tests.support.processes.command import Done, bare_environment, shipped_project, weir
from tests.support.processes.forks import fork

from .conftest import Ran

TABLES = ("customers", "invoice_lines", "monthly_recurring_revenue")


def contents(project: Path, table: str) -> list[str]:
    """All rows of a table of the Schema, in order of text."""
    done = weir(project, "query", "schema", f"SELECT * FROM {table}", "--format", "json").succeeded()
    return sorted(done.out.splitlines())


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, copy_of_first_run: Ran) -> tuple[Path, Done]:
    """The shipped project after one run, and what the run printed."""
    project = tmp_path_factory.mktemp("ran") / "project"
    return project, copy_of_first_run(project)


def test_a_run_says_what_came_from_where(ran: tuple[Path, Done]) -> None:
    _, done = ran
    assert "stripe_main.customers" in done.out
    assert "from stripe_main.charges, stripe_main.customers, stripe_main.disputes" in done.out
    assert "succeeded in" in done.out
    assert "requests" in done.out
    assert "inserted" in done.out


def test_tables_are_filled_with_sense(ran: tuple[Path, Done]) -> None:
    project, _ = ran
    rows = {table: [json.loads(line) for line in contents(project, table)] for table in TABLES}
    assert all(rows.values())
    customers = rows["customers"]
    paying = [row for row in customers if row["payments"]]
    assert paying
    assert all(row["currency"] for row in paying)
    for row in paying:
        units = {"jpy": 1}.get(row["currency"], 100)
        assert abs(float(row["lifetime_value"]) * units - row["lifetime_value_minor"]) < 0.001
    assert any(row["mrr_minor"] > 0 for row in rows["monthly_recurring_revenue"])
    assert all(row["mrr_minor"] <= row["list_mrr_minor"] for row in rows["monthly_recurring_revenue"])
    per_invoice: dict[str, int] = {}
    for row in rows["invoice_lines"]:
        per_invoice[row["invoice_id"]] = per_invoice.get(row["invoice_id"], 0) + 1
    assert max(per_invoice.values()) > 10


def test_lifetime_value_is_what_the_charges_say(ran: tuple[Path, Done]) -> None:
    project, _ = ran
    sql = """
        SELECT customer, currency, sum(amount_captured - amount_refunded) AS net, count(*) AS payments
        FROM charges
        WHERE status = 'succeeded' AND captured AND customer IS NOT NULL
          AND id NOT IN (SELECT charge FROM disputes WHERE status = 'lost')
        GROUP BY ALL
    """
    done = weir(project, "query", "stripe_main", sql, "--format", "json").succeeded()
    direct = {(row["customer"], row["currency"]): row for row in map(json.loads, done.out.splitlines())}
    customers = [json.loads(line) for line in contents(project, "customers")]
    compared = 0
    for row in customers:
        expected = direct.get((row["customer_id"], row["currency"]))
        if expected and not row["disputed_minor"]:
            assert row["lifetime_value_minor"] == int(expected["net"])
            compared += 1
    assert compared > 10


def test_a_second_run_changes_nothing(ran: tuple[Path, Done]) -> None:
    project, _ = ran
    before = {table: contents(project, table) for table in TABLES}
    done = weir(project, "run").succeeded()
    assert {table: contents(project, table) for table in TABLES} == before
    assert "inserted" not in done.out.replace("0 inserted", "")
    listed = [json.loads(line) for line in weir(project, "runs", "--format", "json").succeeded().out.splitlines()]
    assert [run["status"] for run in listed[:2]] == ["succeeded", "succeeded"]
    assert listed[0]["plan_hash"] == listed[1]["plan_hash"]
    shown = weir(project, "runs", "show", listed[0]["id"]).succeeded()
    assert "customers_lifetime_value.load" in shown.out
    assert weir(project, "plan", "--detailed-exitcode").code == 0


def test_a_box_in_a_child_process_gives_the_same(ran: tuple[Path, Done], tmp_path: Path) -> None:
    project, _ = ran
    other = shipped_project(tmp_path / "isolated")
    weir(other, "run", "customers_lifetime_value", environment={"CI": "true"}).succeeded()
    assert contents(other, "customers") == contents(project, "customers")


def test_events_are_json_lines(tmp_path: Path) -> None:
    project = shipped_project(tmp_path / "project")
    done = weir(project, "run", "invoice_lines", "--format", "json").succeeded()
    events = [json.loads(line) for line in done.out.splitlines()]
    assert events[0]["event"] == "run_started"
    assert events[-1]["event"] == "run_ended"
    assert events[-1]["status"] == "succeeded"
    ended = {event["task"]: event for event in events if event["event"] == "task_ended"}
    assert ended["stripe_main:invoices"]["counts"]["rows"] > 0
    assert ended["invoice_lines.load"]["counts"]["inserted"] > 0


def test_parameters_narrow_what_is_read(tmp_path: Path) -> None:
    project = shipped_project(tmp_path / "project")
    arguments = ("invoice_lines", "--param", "since=2026-10-01T00:00:00Z")
    weir(project, "run", *arguments).succeeded()
    rows = [json.loads(line) for line in contents(project, "invoice_lines")]
    assert rows
    assert all(row["invoiced_at"] >= "2026-10-01" for row in rows)
    assert "TIMESTAMP '2026-10-01 00:00:00'" in weir(project, "plan", *arguments).succeeded().out
    assert weir(project, "run", "invoice_lines", "--param", "sins=1").code == 64


def test_a_missing_key_is_said_before_anything_is_reached(tmp_path: Path) -> None:
    project = shipped_project(tmp_path / "project")
    file = project / "connections" / "stripe_main.yaml"
    file.write_text(file.read_text().replace("base_url: sandbox\n", "base_url: http://127.0.0.1:9\n"))
    done = weir(project, "run", "invoice_lines")
    assert done.code == 3
    assert "STRIPE_SECRET_KEY" in done.out + done.err
    tested = weir(project, "test-connection", "stripe_main")
    assert tested.code == 3
    assert "STRIPE_SECRET_KEY" in tested.out + tested.err


def test_an_unreachable_provider_is_the_environment(tmp_path: Path) -> None:
    project = shipped_project(tmp_path / "project")
    file = project / "connections" / "stripe_main.yaml"
    file.write_text(file.read_text().replace("base_url: sandbox\n", "base_url: http://127.0.0.1:9\ntimeout_ms: 500\n"))
    key = {"STRIPE_SECRET_KEY": "sk_test_" + "b" * 24}
    tested = weir(project, "test-connection", environment=key)
    assert tested.code == 3
    assert "127.0.0.1:9" in tested.out + tested.err


def test_connections_are_tested(tmp_path: Path) -> None:
    project = shipped_project(tmp_path / "project")
    done = weir(project, "test-connection", "stripe_main").succeeded()
    assert "success: the connection works" in done.out
    assert "customers" in done.out
    reports = [*map(json.loads, weir(project, "test-connection", "--format", "json").succeeded().out.splitlines())]
    assert [report["connection"] for report in reports] == ["stripe_main", "stripe_playground"]
    assert all(report["ok"] for report in reports)
    unknown = weir(project, "test-connection", "stripe_mian")
    assert unknown.code == 64
    assert "did you mean `stripe_main`" in unknown.err


def test_a_run_is_refused_while_another_one_has_the_interface(ran: tuple[Path, Done]) -> None:
    project, _ = ran
    store = open_run_store(project / ".weir" / "state.db")
    owner = "pid 1 on another-machine, since 2026-01-01 00:00:00 UTC"
    token = store.acquire("interface:invoice_lines", owner, datetime.now(UTC), 60)
    assert token is not None
    done = weir(project, "run", "invoice_lines")
    store.release("interface:invoice_lines", token)
    store.close()
    assert done.code == 5
    assert "another-machine" in done.err


def test_logs_are_json_lines_on_request(ran: tuple[Path, Done]) -> None:
    project, _ = ran
    key = {"STRIPE_SECRET_KEY": "sk_test_" + "c" * 24, "WEIR_LOG": "debug"}
    done = weir(project, "run", "invoice_lines", "--format", "json", environment=key).succeeded()
    lines = [json.loads(line) for line in done.err.splitlines()]
    assert [line["event"] for line in lines] == ["run planned", "sandbox started", "run ended"]
    assert lines[-1]["status"] == "succeeded"


def test_queries_in_every_format(ran: tuple[Path, Done], tmp_path: Path) -> None:
    project, _ = ran
    own = weir(project, "query", "stripe_main").succeeded()
    assert "email" in own.out.splitlines()[0]
    sql = "SELECT id, created, currency FROM charges ORDER BY created DESC LIMIT 3"
    assert len(weir(project, "query", "stripe_main", sql, "--format", "csv").succeeded().out.splitlines()) == 4
    assert len(weir(project, "query", "stripe_main", sql, "--format", "json").succeeded().out.splitlines()) == 3
    assert (
        len(weir(project, "query", "stripe_main", "-", "--format", "csv", stdin=sql).succeeded().out.splitlines()) == 4
    )
    target = tmp_path / "out.parquet"
    weir(project, "query", "stripe_main", sql, "--format", "parquet", "--output", str(target)).succeeded()
    assert target.read_bytes()[:4] == b"PAR1"
    assert weir(project, "query", "stripe_main", sql, "--format", "parquet").code == 64
    assert weir(project, "query", "schema", "SELECT count(*) AS n FROM customers", "--format", "json").succeeded().out


def test_an_interrupt_ends_the_run_and_the_next_one_succeeds(tmp_path: Path) -> None:
    project = shipped_project(tmp_path / "project")
    process = fork(project, ["run"], bare_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode in (0, 130)
    weir(project, "run").succeeded()


def test_after_a_kill_the_next_run_ends_with_the_right_tables(ran: tuple[Path, Done], tmp_path: Path) -> None:
    expected = contents(ran[0], "customers")
    project = shipped_project(tmp_path / "project")
    for pause in (0.05, 0.3, 0.6):
        arguments = ("run", "customers_lifetime_value")
        process = fork(project, arguments, bare_environment(), stderr=subprocess.PIPE)
        assert process.stderr is not None
        process.stderr.readline()
        time.sleep(pause)
        process.kill()
        process.wait()
    weir(project, "run", "customers_lifetime_value").succeeded()
    assert contents(project, "customers") == expected
