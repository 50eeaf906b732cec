"""The mirror as a user meets it: a second run fetches what changed, says so, and is right."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import duckdb
import pytest

from engine.app.errors import Exit, RefusalError
from engine.app.mirrors.verify import verify_connection
from engine.app.running.world import RunOptions
from engine.app.workspace import Workspace
from tests.support.processes.command import Done, shipped_project, weir

KEY = "sk_test_weir_sandbox"
TABLES = ("charges", "customers", "disputes", "invoice_line_items", "invoices", "subscription_items", "subscriptions")


class Shop:
    """A project, and the sandbox that it reads: a process of its own that outlives runs."""

    def __init__(self, folder: Path, url: str, first_runs: Path) -> None:
        self.folder, self.url, self.first_runs = folder, url, first_runs
        self.key = KEY
        file = folder / "connections" / "stripe_main.yaml"
        file.write_text(file.read_text().replace("base_url: sandbox\n", f"base_url: {url}\n"))

    def begin(self, *arguments: str) -> None:
        """The state after a first `run` with these arguments, which is made once for all tests of this sandbox."""
        kept = self.first_runs / ("-".join(arguments) or "all")
        if kept.exists():
            shutil.copytree(kept, self.folder / ".weir")
        else:
            self.weir("run", *arguments).succeeded()
            shutil.copytree(self.folder / ".weir", kept)
        self.control("POST", "/clock", {"advance": 60})  # the sandbox's clock begins again for each test

    def weir(self, *arguments: str) -> Done:
        return weir(self.folder, *arguments, environment={"STRIPE_SECRET_KEY": self.key}, hasty=True)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.url}/_sandbox{path}", data, method=method), timeout=10) as reply:
            return json.load(reply)

    def act(self, method: str, path: str, **params: str) -> Any:
        return self.control("POST", "/act", {"method": method, "path": path, "params": params})

    def list(self, path: str, **params: str) -> list[Any]:
        request = Request(f"{self.url}{path}?{urlencode(params)}", headers={"Authorization": f"Bearer {KEY}"})
        with urlopen(request, timeout=10) as reply:
            return list(json.load(reply)["data"])

    def requests_of(self, *arguments: str) -> list[str]:
        """The paths that a run asks for."""
        self.control("DELETE", "/requests")
        self.weir(*arguments).succeeded()
        return [each["path"] for each in self.control("GET", "/requests")]

    def staged(self, table: str, account: str = "") -> dict[str, Any]:
        with duckdb.connect(str(self.folder / ".weir" / "staging" / "stripe_main.duckdb"), read_only=True) as found:
            rows = found.execute(
                f"SELECT id, * FROM {table} WHERE _deleted_at IS NULL AND _account = ?", [account]
            ).fetchall()
        assert len({row[0] for row in rows}) == len(rows)
        return {row[0]: row for row in rows}

    def compare(self, account: str | None = None) -> None:
        truth = self.control("GET", "/truth")[account or self.control("GET", "/")["account"]]
        for table in TABLES:
            assert set(self.staged(table, account or "")) == set(truth.get(table, {"ids": {}})["ids"]), table


@pytest.fixture(scope="module")
def started() -> Iterator[str]:
    command = [sys.executable, "-m", "engine.sandbox", "--until-stdin-closes", "--accounts", "2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.stdin.close()
        process.wait(10)


@pytest.fixture(scope="module")
def first_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("first_runs")


@pytest.fixture
def shop(started: str, first_runs: Path, tmp_path: Path) -> Iterator[Shop]:
    made = Shop(shipped_project(tmp_path / "project"), started, first_runs)
    yield made
    made.control("POST", "/reset", {})
    made.control("DELETE", "/faults")


def test_a_second_run_asks_for_what_changed(shop: Shop) -> None:
    shop.control("POST", "/clock", {"advance": 3600})  # seeded events are older than the overlap of a second run
    first = shop.requests_of("run")
    shop.compare()
    again = shop.requests_of("run")
    assert sorted(again) == [
        "/v1/account", "/v1/charges", "/v1/customers", "/v1/disputes", "/v1/events", "/v1/invoices",
        "/v1/subscriptions",
    ]  # fmt: skip
    assert len(first) > 5 * len(again)

    changed, deleted = shop.list("/v1/customers", limit="2")
    shop.act("POST", f"/v1/customers/{changed['id']}", email="changed@example.com")
    shop.act("DELETE", f"/v1/customers/{deleted['id']}")
    shop.act("POST", "/v1/customers", email="new@example.com")
    cancelled = shop.list("/v1/subscriptions", limit="1", status="active")[0]["id"]
    shop.act("DELETE", f"/v1/subscriptions/{cancelled}")
    plan = shop.weir("plan").succeeded().out
    assert "what has changed since: GET /v1/events?created[gte]=" in plan
    assert "events: every change emits an event: seen by the next run" in plan
    shop.weir("run").succeeded()
    shop.compare()
    emails = shop.weir("query", "schema", "SELECT email FROM customers", "--format", "csv").succeeded().out
    assert "changed@example.com" in emails
    assert "new@example.com" in emails
    assert f"cus_{deleted['id'][4:]}" not in shop.staged("customers")


def test_the_status_says_what_is_there(shop: Shop) -> None:
    assert "nothing was read yet" in shop.weir("status", "stripe_main").succeeded().out
    shop.begin("customers_lifetime_value")
    shown = shop.weir("status", "stripe_main").succeeded().out
    assert "changes are followed since" in shown
    assert [line.split()[0] for line in shown.splitlines()[4:]] == ["charges", "customers", "disputes"]
    told = json.loads(shop.weir("status", "stripe_main", "--format", "json").succeeded().out)
    assert [table["rows"] for table in told["accounts"][0]["tables"]] == [351, 59, 3]


def test_events_that_may_not_be_read_cost_more_and_lose_nothing(shop: Shop) -> None:
    shop.begin()
    reads = ["charge", "customer", "dispute", "invoice", "subscription", "balance_transaction"]
    shop.key = "rk_test_without_events"
    rights = [f"rak_{name}_read" for name in reads]
    shop.control("POST", "/keys", {"key": shop.key, "permissions": rights})
    deleted = shop.list("/v1/customers", limit="1")[0]["id"]
    shop.act("DELETE", f"/v1/customers/{deleted}")
    done = shop.weir("run").succeeded()
    assert "events cannot be read" in done.out + done.err
    shop.compare()


def test_events_that_are_not_listed_any_more_are_a_gap(shop: Shop) -> None:
    shop.begin()
    changed = shop.list("/v1/customers", limit="1")[0]["id"]
    shop.act("POST", f"/v1/customers/{changed}", name="Long Ago")
    shop.control("POST", "/clock", {"advance": 40 * 86_400})
    done = shop.weir("run").succeeded()
    assert "can no longer be read" in done.out + done.err
    shop.compare()
    assert "gap: no events from" in shop.weir("status").succeeded().out
    query = shop.weir("query", "stripe_main", f"SELECT name FROM customers WHERE id = '{changed}'", "--format", "csv")
    assert "Long Ago" in query.succeeded().out


def test_connected_accounts_have_a_mirror_each(shop: Shop) -> None:
    file = shop.folder / "connections" / "stripe_main.yaml"
    file.write_text(file.read_text() + "accounts: all\n")
    shop.weir("run").succeeded()
    accounts = [each["id"] for each in shop.list("/v1/accounts")]
    assert len(accounts) == 2
    for account in accounts:
        shop.compare(account)
    shown = shop.weir("status").succeeded().out
    assert all(f"account {account}" in shown for account in accounts)
    again = shop.requests_of("run")
    assert again.count("/v1/events") == 2
    assert len(again) < 20


def test_a_mirror_belongs_to_one_account(shop: Shop) -> None:
    shop.begin("customers_lifetime_value")
    shop.key = "sk_test_of_another"
    shop.control("POST", "/keys", {"key": shop.key, "account": shop.list("/v1/accounts")[0]["id"]})
    done = shop.weir("run", "customers_lifetime_value")
    assert done.code == 1
    assert "mirrors account" in done.out + done.err


def test_everything_can_be_read_again(shop: Shop) -> None:
    shop.begin("customers_lifetime_value")
    again = shop.requests_of("run", "customers_lifetime_value", "--full")
    assert again.count("/v1/charges") >= 4
    shop.weir("run").succeeded()
    shop.compare()


def test_a_mirror_is_verified(shop: Shop) -> None:
    assert shop.weir("verify", "stripe_main").code == 64, "nothing was read yet"
    shop.begin()
    shop.act("POST", f"/v1/customers/{shop.list('/v1/customers', limit='1')[0]['id']}", name="Changed Since")
    agreed = shop.weir("verify", "stripe_main").succeeded()
    assert agreed.out.count("same") == len(TABLES)
    assert ["customers", "59"] in [line.split()[:2] for line in agreed.out.splitlines()]
    shop.compare()

    staging = shop.folder / ".weir" / "staging" / "stripe_main.duckdb"
    with duckdb.connect(str(staging)) as broken:
        lost, kept, odd = (row[0] for row in broken.execute("SELECT id FROM charges ORDER BY id LIMIT 3").fetchall())
        broken.execute("DELETE FROM charges WHERE id = ?", [lost])
        broken.execute("UPDATE charges SET amount = amount + 1 WHERE id = ?", [odd])
        broken.execute("INSERT INTO charges SELECT * REPLACE ('ch_invented' AS id) FROM charges WHERE id = ?", [kept])
    done = shop.weir("verify", "stripe_main", "charges", "customers")
    assert done.code == 4
    charges, customers = (line.split() for line in done.out.splitlines()[2:4])
    assert charges[:5] == ["charges", "351", "1", "1", "1"]
    assert customers[5] == "same"
    assert "ch_invented" in done.out
    told = json.loads(shop.weir("verify", "stripe_main", "charges", "--format", "json").out)
    assert told["same"] is False
    assert sorted(told["tables"][0]["samples"]) == sorted([lost, odd, "ch_invented"])
    assert any(window["mirror_rows"] and not window["same_content"] for window in told["tables"][0]["windows"])

    shop.weir("run", "--full").succeeded()
    shop.weir("verify", "stripe_main").succeeded()


def test_a_table_that_cannot_be_read_is_not_verified(shop: Shop) -> None:
    shop.begin()
    shop.key = "rk_test_without_disputes"
    rights = [f"rak_{name}_read" for name in ("charge", "customer", "invoice", "subscription", "event")]
    shop.control("POST", "/keys", {"key": shop.key, "permissions": rights})
    done = shop.weir("verify", "stripe_main")
    assert done.code == 3
    assert "disputes: could not be read" in done.out
    assert "not everything could be compared" in done.out


def test_a_mirror_whose_provider_is_out_of_reach_is_not_verified(shop: Shop) -> None:
    shop.begin("payments")
    file = shop.folder / "connections" / "stripe_main.yaml"
    file.write_text(file.read_text().replace(shop.url, "http://127.0.0.1:9").replace("30000", "300"))
    done = shop.weir("verify", "stripe_main")
    assert done.code == 3
    assert "charges: could not be read" in done.out
    assert "not everything could be compared" in done.out
    assert done.err == "this takes about 7 requests\n"


def test_a_comparison_that_is_stopped_says_so(shop: Shop) -> None:
    shop.begin("payments")
    asked = threading.Event()
    asked.set()
    options = RunOptions(isolated=False, environment={"STRIPE_SECRET_KEY": shop.key}, cancelled=asked)
    with pytest.raises(RefusalError, match="the comparison was stopped") as refused:
        verify_connection(Workspace.open(shop.folder), "stripe_main", [], options, lambda _plan: lambda _event: None)
    assert refused.value.code is Exit.INTERRUPTED


def test_a_step_that_asks_for_changed_rows_gets_those(shop: Shop) -> None:
    def counted(*arguments: str) -> dict[str, int]:
        done = shop.weir("run", "payments", *arguments, "--format", "json").succeeded()
        ended = [json.loads(line) for line in done.out.splitlines()]
        (load,) = [each for each in ended if each.get("task") == "payments.load" and each["event"] == "task_ended"]
        return {name: number for name, number in load["counts"].items() if number}

    def plan() -> str:
        return shop.weir("plan", "payments", "--no-sql").succeeded().out

    assert "now: all rows: the step has not read any yet" in plan()
    assert counted() == {"read": 351, "inserted": 351}
    assert "now: rows changed since" in plan()
    assert counted() == {}

    paid = [each for each in shop.list("/v1/charges", limit="100") if each["status"] == "succeeded"]
    charge = next(each["id"] for each in paid if not each["amount_refunded"] and not each["disputed"])
    shop.act("POST", "/v1/refunds", charge=charge, amount="1")
    assert counted() == {"read": 1, "updated": 1}
    sql = "SELECT payment_id, refunded_minor FROM payments WHERE refunded_minor = 1"
    assert shop.weir("query", "schema", sql, "--format", "csv").succeeded().out.splitlines()[1:] == [f"{charge},1"]

    file = shop.folder / "interfaces" / "payments.yaml"
    file.write_text(file.read_text().replace("failure_code AS failure", "upper(failure_code) AS failure"))
    assert "now: rebuild from all rows: the SQL box has changed since run" in plan()
    rebuilt = counted()
    assert rebuilt["read"] == 351
    assert rebuilt["updated"] > 0
    assert counted() == {}
    assert counted("--rebuild") == {"read": 351, "unchanged": 351}


def test_what_a_mirror_tells_of_itself_is_asked_without_a_request(shop: Shop) -> None:
    sql = 'SELECT "table", sum("rows") AS n FROM weir.coverage GROUP BY 1'
    assert shop.weir("query", "stripe_main", sql, "--format", "csv").succeeded().out == "table,n\n"
    shop.weir("run", "payments").succeeded()
    shop.control("DELETE", "/requests")
    found = shop.weir("query", "stripe_main", sql, "--format", "csv").succeeded().out
    assert found == "table,n\ncharges,351\n"
    assert shop.control("GET", "/requests") == []
    sql = "SELECT count(*) AS n FROM changed.charges"
    done = shop.weir("query", "stripe_main", sql, "--format", "csv").succeeded()
    assert done.out == "n\n351\n"
    assert "`changed.charges` has all rows here" in done.err


def test_a_mirror_is_not_verified_without_a_key(shop: Shop) -> None:
    shop.begin("payments")
    done = weir(shop.folder, "verify", "stripe_main")
    assert done.code == 3
    assert done.out == ""
    assert done.err.startswith("error: the environment variable `STRIPE_SECRET_KEY` is not set\n")
