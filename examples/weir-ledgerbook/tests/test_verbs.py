"""The connector in the verbs of `weir`, found by its entry point."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ledgerbook_server import KEY, Ledgerbook


class Project:
    """A folder in which `weir` is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def weir(self, *arguments: str, code: int = 0) -> str:
        """What the command prints on stdout and stderr. It ends with this code."""
        command = [sys.executable, "-P", "-m", "engine.cli", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        assert KEY not in done.stdout + done.stderr
        return done.stdout + done.stderr

    def write(self, path: str, text: str) -> None:
        """Write a definition."""
        (self.folder / path).parent.mkdir(exist_ok=True)
        (self.folder / path).write_text(text)


@pytest.fixture
def project(tmp_path: Path, book: Ledgerbook) -> Project:
    """A project with the connector's own example, whose connection leads to the service of the test."""
    found = Project(tmp_path)
    found.weir("init", "--connector", "ledgerbook", ".")
    connection = tmp_path / "connections/ledgerbook_main.yaml"
    connection.write_text(f"{connection.read_text()}base_url: {book.url}\n")
    for number in range(120):
        book.add("contacts", name=f"Contact {number}", email=f"{number}@example.com")
    account = book.add("accounts", name="Cash", currency="eur", closed=False)
    book.add("entries", account=account["id"], contact=None, amount=1250, memo="Paper")
    return found


def test_it_is_in_the_gallery(project: Project) -> None:
    listed = json.loads(project.weir("connectors", "--format", "json"))
    assert {"category": "Accounting", "name": "ledgerbook", "title": "Ledgerbook", "tables": 3,
            "api_version": "2026-01"} in listed  # fmt: skip
    assert "stripe" in {each["name"] for each in listed}


def test_its_tables_are_described(project: Project) -> None:
    assert "contacts" in project.weir("catalog", "--connector", "ledgerbook")
    shown = project.weir("catalog", "--connector", "ledgerbook", "entries")
    assert "in the smallest unit of the account's currency" in shown
    assert "every change is seen by the next run" in shown
    assert "POST /v1/contacts" in project.weir("catalog", "--connector", "ledgerbook", "--writes", "contacts")


def test_a_connection_is_written_with_its_variable(project: Project) -> None:
    project.weir("new", "connection", "second", "--connector", "ledgerbook", "--secret-env", "SECOND_KEY")
    assert "connector: ledgerbook" in (project.folder / "connections/second.yaml").read_text()
    refused = project.weir("new", "connection", "third", "--connector", "ledgerbook", "--secret-env", "K", "--sandbox",
                           code=64)  # fmt: skip
    assert "does not simulate `ledgerbook`" in refused


def test_the_example_is_planned_run_and_queried(project: Project, book: Ledgerbook) -> None:
    project.weir("validate")
    assert "GET /v1/contacts" in project.weir("plan")
    project.weir("run")
    rows = json.loads(project.weir("query", "schema", "SELECT count(*) AS n FROM contacts", "--format", "json"))
    assert rows == {"n": 120}
    book.ahead += 60
    before = len(book.requests)
    book.remove("contacts", next(iter(book.objects["contacts"])))
    project.weir("run")
    assert len(book.requests) - before <= 2
    live = project.weir("query", "ledgerbook_main", "SELECT count(*) AS n FROM contacts", "--format", "json")
    assert json.loads(live) == {"n": 119}


def test_amounts_have_the_decimals_of_their_currency(project: Project) -> None:
    sql = "SELECT weir.amount(e.amount, a.currency) AS amount FROM entries e JOIN accounts a ON a.id = e.account"
    assert json.loads(project.weir("query", "ledgerbook_main", sql, "--format", "json")) == {"amount": "12.500"}


def test_the_connection_is_tested(project: Project, book: Ledgerbook) -> None:
    shown = project.weir("test-connection", "ledgerbook_main")
    assert "book_1" in shown
    assert "contacts" in shown
    book.forbidden = {"contacts"}
    assert "grant the key the right" in project.weir("test-connection", "ledgerbook_main", code=3)


def test_contacts_are_written_once(project: Project, book: Ledgerbook) -> None:
    connection = project.folder / "connections/ledgerbook_main.yaml"
    connection.write_text(f"{connection.read_text()}is_target: true\ngrants: {{write: [contacts]}}\n")
    project.write(
        "interfaces/push.yaml",
        "kind: interface\nname: push\nsteps:\n  - name: send\n    export:\n      connection: ledgerbook_main\n"
        "      entity: contacts\n      action: upsert\n      match: {email: email}\n"
        "      sql: SELECT 'Ada' AS name, 'ada@example.com' AS email\n      map: {name: name, email: email}\n",
    )
    project.weir("run", "push")
    project.weir("run", "push")
    assert [each["name"] for each in book.objects["contacts"].values()].count("Ada") == 1


def test_a_key_in_a_definition_is_refused_and_masked(project: Project) -> None:
    project.write("connections/leak.yaml", f"# {KEY}\nkind: connection\nname: leak\nconnector: ledgerbook\n"
                                           "client_secret: {env: LEDGERBOOK_KEY}\n")  # fmt: skip
    assert "E207" in project.weir("validate", code=2)


def test_the_sandbox_is_of_another_provider(project: Project, book: Ledgerbook) -> None:
    connection = project.folder / "connections/ledgerbook_main.yaml"
    connection.write_text(connection.read_text().replace(f"base_url: {book.url}", "base_url: sandbox"))
    assert "E215" in project.weir("validate", code=2)
