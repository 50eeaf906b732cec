"""The developer's loop: save, and see what is wrong, what is live and what it changes."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.processes.command import weir
from tests.support.processes.watching import watch

INTERFACE = """\
kind: interface
name: customers
steps:
  - name: load
    import:
      connection: stripe_main
      sql: |
        SELECT id, email, created FROM customers
      into: customers
      map: {customer_id: id, email: email, created_at: created}
"""
FILE = "interfaces/customers.yaml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    weir(tmp_path, "init", "shop").succeeded()
    (tmp_path / "shop" / FILE).write_text(INTERFACE)
    return tmp_path / "shop"


def save(project: Path, old: str, new: str) -> None:
    """Change the interface as an editor does."""
    text = INTERFACE.replace(old, new)
    assert text != INTERFACE or old == new
    beside = project / "interfaces" / ".customers.yaml.swp"
    beside.write_text(text)
    beside.replace(project / FILE)


@pytest.mark.parametrize("arguments", [(), ("--poll",)])
def test_a_file_is_broken_mended_and_changed(project: Path, arguments: tuple[str, ...]) -> None:
    with watch(project, *arguments) as loop:
        loop.until("generation 1 is active: new customers")
        save(project, "email, created", "emial, created")
        told = loop.until("generation 1 stays active")
        assert "error[E403]: no column `emial`" in told
        assert f"{FILE}:8:20" in told
        save(project, "", "")
        assert "fixed: 1 finding" in loop.until("generation 1 stays active")
        save(project, "FROM customers\n", "FROM customers LIMIT 5\n")
        assert "generation 2 is active: changed customers" in loop.until("customers.load: ")
        (project / "schemas" / "others.yaml").write_text("kind: schema\nname: others\ncolumns: {id: text}\nkey: [id]\n")
        assert "no interface changed" in loop.until("generation 3 is active")
        assert loop.end() == (0, "\n")


def test_what_a_save_changes_is_shown_and_run(project: Path) -> None:
    with watch(project, "--run", "--preview") as loop:
        loop.until("generation 1 is active")
        save(project, "FROM customers\n", "FROM customers LIMIT 7\n")
        told = loop.until("succeeded in")
        assert "customers.load:" in told
        assert told.count("cus_") == 5
        assert "7 read, 7 inserted" in told
        save(project, "SELECT id", "SELECT idd")
        told = loop.until("generation 2 stays active")
        assert "Written" not in told
        assert loop.end(signal.SIGTERM)[0] == 0
    counted = weir(project, "query", "schema", "SELECT count(*) AS n FROM customers", "--format", "csv").succeeded()
    assert counted.out == "n\n7\n"


def test_a_second_start_over_a_broken_tree_goes_on_from_the_last_good_one(project: Path) -> None:
    with watch(project) as loop:
        loop.until("generation 1 is active")
        loop.end()
    save(project, "email, created", "emial, created")
    with watch(project) as loop:
        assert "E403" in loop.until("generation 1 stays active")
        assert loop.end()[0] == 0


def test_the_state_folder_cannot_move_while_it_watches(project: Path) -> None:
    with watch(project) as loop:
        loop.until("generation 1 is active")
        (project / "weir.yaml").write_text("kind: settings\nstate: elsewhere\n")
        told = loop.until("stays active")
        assert "not reloaded: restart to apply the change of `state` in weir.yaml" in told
        assert loop.end()[0] == 0
    with watch(project) as loop:
        loop.until("generation 1 is active")
        loop.end()
    assert (project / "elsewhere" / "generations").is_dir()


def test_a_project_that_is_broken_from_the_start(project: Path) -> None:
    save(project, "email, created", "emial, created")
    with watch(project) as loop:
        assert "E403" in loop.until("nothing is active")
        save(project, "", "")
        assert "fixed: 1 finding" in loop.until("generation 1 is active")


def test_what_is_right_of_a_project_with_a_broken_file_is_live_from_the_start(project: Path) -> None:
    """The connection is the one that both use."""
    others = INTERFACE.replace("name: customers", "name: names").replace("into: customers", "into: names")
    table = "kind: schema\nname: names\ncolumns: {customer_id: text, email: text, created_at: timestamp}\n"
    (project / "interfaces/names.yaml").write_text(others)
    (project / "schemas/names.yaml").write_text(f"{table}key: [customer_id]\n")
    save(project, "email, created", "emial, created")
    with watch(project) as loop:
        told = loop.until("not activated: ")
        assert "E403" in told
        assert "generation 1 is active: new names" in told
        assert "not activated: interfaces/customers.yaml, schemas/customers.yaml" in told
        save(project, "", "")
        assert "generation 2 is active: new customers" in loop.until("generation 2")


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    assert weir(tmp_path, "watch").code == 2
