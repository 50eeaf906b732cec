"""Extraction of every table against the project's sandbox in its own process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.connector import Verdict
from engine.connectors.stripe import CONNECTOR
from engine.connectors.stripe.catalogue import load_catalogue
from tests.integration.extract.conftest import Sandbox
from tests.support.stripe.stripe_model import Reading, needs, read_all

LARGE = ("balance_transactions", "charges", "customers", "events", "invoices", "payment_intents", "subscriptions")


def compare(found: Reading, truth: dict[str, Any], tables: tuple[str, ...]) -> None:
    """Assert that each of these tables has exactly the rows of the sandbox, with the same sums."""
    for table in tables:
        assert sorted(found.ids(table)) == sorted(truth[table]["ids"]), table
        for name, total in truth[table]["sums"].items():
            assert sum(row[name] or 0 for row in found.tables[table] if name in row) == total, (table, name)


def truth_of(sandbox: Sandbox, account: str | None = None) -> dict[str, Any]:
    """The contents of the sandbox for an account."""
    reported = sandbox.control("GET", "/truth")
    return dict(reported[account or sandbox.control("GET", "/")["account"]])


@pytest.mark.parametrize("size", [None, 100_000])
def test_every_table_is_extracted_completely(sandbox: Sandbox, tmp_path: Path, size: int | None) -> None:
    names = sorted(load_catalogue().tables)
    found = read_all(sandbox.url, needs(*names), tmp_path, max_slice_bytes=size)
    compare(found, truth_of(sandbox), (*LARGE, "prices", "products", "refunds", "disputes", "invoice_line_items"))
    assert any(len(lines) > 10 for lines in _lines_by_invoice(found).values()), "more lines than an invoice carries"
    assert [file.meta for output in found.outputs for file in output.files if file.meta["extra"]] == []
    assert all(found.coverage(name) for name in names)
    assert len(found.outputs) == 1 if size is None else len(found.outputs) > 5, len(found.outputs)


def _lines_by_invoice(found: Reading) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for row in found.tables["invoice_line_items"]:
        lines.setdefault(row["invoice"], []).append(row["id"])
    return lines


def test_faults_cost_no_row(sandbox: Sandbox, tmp_path: Path) -> None:
    truth = truth_of(sandbox)
    for kind in ("error", "reset", "rate_limit", "lock", "malformed", "truncated"):
        sandbox.control("POST", "/faults", {"kind": kind, "rate": 0.05})
    found = read_all(sandbox.url, needs(*LARGE), tmp_path, retry={"first": 0.001, "tries": 30})
    compare(found, truth, LARGE)
    retried = found.reports[0].totals.counts["retries"]
    assert retried > 0


@pytest.mark.parametrize(
    "reason", ["global-rate", "global-concurrency", "endpoint-rate", "endpoint-concurrency", "resource-specific"]
)
def test_rate_limits_of_every_reason_cost_no_row(sandbox: Sandbox, tmp_path: Path, reason: str) -> None:
    truth = truth_of(sandbox)
    sandbox.control("POST", "/faults", {"kind": "rate_limit", "rate": 0.1, "reason": reason})
    found = read_all(sandbox.url, needs("charges", "invoice_line_items"), tmp_path)
    compare(found, truth, ("charges", "invoice_line_items"))
    counts = found.reports[0].totals.counts
    assert counts["limited"] == counts["retries"] > 0


def test_enforced_rate_limits_cost_no_row(sandbox: Sandbox, tmp_path: Path) -> None:
    truth = truth_of(sandbox)
    sandbox.control("POST", "/config", {"per_second": 8, "per_endpoint": 4})
    try:
        found = read_all(sandbox.url, needs("charges", "customers", "invoices"), tmp_path)
    finally:
        sandbox.control("POST", "/config", {"per_second": 0, "per_endpoint": 0})
    compare(found, truth, ("charges", "customers", "invoices"))
    assert found.reports[0].totals.counts["limited"] > 0


def test_connected_accounts_are_extracted_separately(sandbox: Sandbox, tmp_path: Path) -> None:
    accounts = CONNECTOR.accounts(
        {"secret": ["sandbox", ""], "base_url": sandbox.url, "requests_per_second": 1000.0}, print
    )
    assert len(accounts) == 2
    for account in accounts:
        found = read_all(sandbox.url, needs("customers"), tmp_path / account, account=account)
        reported = sandbox.control("GET", "/truth?table=customers")
        assert sorted(found.ids("customers")) == sorted(reported[account]["customers"]["ids"])
        assert {claim.account for claim in found.coverage("customers")} == {account}


def check(sandbox: Sandbox, tables: list[str], **config: Any) -> Any:
    """Test a connection to the sandbox."""
    settings = {"secret": ["sandbox", ""], "base_url": sandbox.url, "connection": "main", "requests_per_second": 1000}
    return CONNECTOR.check({**settings, **config}, tables)


def test_working_connection_is_ok_and_shows_its_facts(sandbox: Sandbox) -> None:
    tables = sorted(load_catalogue().tables)
    report = check(sandbox, tables)
    assert report.ok
    assert report.connection == "main"
    assert report.facts["mode"] == "test"
    assert report.facts["account"].startswith(sandbox.control("GET", "/")["account"])
    assert report.facts["API version"] == load_catalogue().api_version
    probes = {probe.name: probe for probe in report.probes}
    assert probes["charges"].verdict is Verdict.OK
    assert probes["charges"].latency_ms is not None
    assert set(tables) <= set(probes)
    assert "clock" not in probes


def test_connection_without_a_permission_names_the_tables(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "rk_test_only_customers"
    sandbox.control("POST", "/keys", {"key": key, "permissions": ["rak_customer_read"]})
    monkeypatch.setenv("RESTRICTED", key)
    report = check(sandbox, ["charges", "customers", "invoice_line_items"], secret=["env", "RESTRICTED"])
    probes = {probe.name: probe for probe in report.probes}
    assert not report.ok
    assert probes["customers"].verdict is Verdict.OK
    assert probes["events"].verdict is Verdict.WARNING
    for table in ("charges", "invoice_line_items"):
        failure = probes[table].failure
        assert failure is not None
        assert failure.permission == load_catalogue().tables[table].permission
        assert failure.permission in (failure.hint or "")
    assert key not in repr(report)


def test_connection_with_a_refused_key_is_reported(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRONG", "sk_test_nobody_knows_this")
    report = check(sandbox, ["charges"], secret=["env", "WRONG"])
    assert not report.ok
    (probe,) = report.probes
    assert probe.failure is not None
    assert probe.failure.kind == "key"
    assert "environment variable `WRONG`" in (probe.failure.hint or "")
    assert "nobody_knows" not in repr(report)
    missing = check(sandbox, ["charges"], secret=["env", "NOT_SET_ANYWHERE"])
    assert (missing.ok, missing.probes[0].failure.kind) == (False, "secret")


def test_connection_to_an_unreachable_address_is_reported() -> None:
    report = check(Sandbox("http://127.0.0.1:1"), ["charges"])
    assert not report.ok
    assert report.probes[0].failure is not None
    assert report.probes[0].failure.kind == "unreachable"
