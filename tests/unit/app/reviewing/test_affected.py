"""SQL boxes that an upgraded API version affects are reported with their place before anything runs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.app.authoring.scaffold import start_project
from engine.app.checking.check import check_project
from engine.app.reviewing.affected import affected_now
from engine.app.state import utc_now
from engine.app.workspace import Workspace
from engine.cli.group import weir
from engine.connector import Coverage, SourceCatalogue, Window
from engine.connectors.stripe import CONNECTOR
from engine.duck import DuckStaging
from engine.relation import INTEGER, TEXT, Column, Relation
from tests.support.duck.staged import spool

CATALOGUE = CONNECTOR.catalogue(None)
OLD = "2025-01-01.old"
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
BOX = """\
kind: interface
name: loyal
steps:
  - name: load
    import:
      connection: stripe_main
      into: customers
      action: upsert
      map: {customer_id: id, name: name}
      sql: |
        SELECT
          id,
          loyalty AS name
        FROM customers
"""


def older() -> SourceCatalogue:
    """The previous catalogue: customers with one more column and text balances, invoices with integer numbers."""
    customers, invoices = CATALOGUE.tables["customers"], CATALOGUE.tables["invoices"]
    columns = [replace(each, type=TEXT) if each.name == "balance" else each for each in customers.relation]
    moved = replace(customers, relation=Relation((*columns, Column("loyalty", TEXT))))
    numbered = [replace(each, type=INTEGER) if each.name == "number" else each for each in invoices.relation]
    tables = {**CATALOGUE.tables, "customers": moved, "invoices": replace(invoices, relation=Relation(tuple(numbered)))}
    return replace(CATALOGUE, api_version=OLD, tables=tables)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    start_project(folder)
    file = folder / ".weir" / "staging" / "stripe_main.duckdb"
    file.parent.mkdir(parents=True)
    (tmp_path / "spool").mkdir()
    parts = [
        Coverage("acct_1", name, Window(None, 1_000), ((),), AS_OF, "list", OLD, 1, 1, True)
        for name in ("customers", "invoices")
    ]
    files = [spool(tmp_path / "spool", [[{"id": "x"}]], name) for name in ("customers", "invoices")]
    DuckStaging(file, older()).load(files, parts, utc_now())
    return folder


def test_upgrade_does_not_report_an_unaffected_box(project: Path) -> None:
    assert affected_now(Workspace.open(project), check_project(Workspace.open(project)), (), {}) == ()


def test_upgrade_that_removes_a_column_breaks_its_boxes(project: Path) -> None:
    (project / "interfaces" / "loyal.yaml").write_text(BOX)
    (found,) = affected_now(Workspace.open(project), check_project(Workspace.open(project)), (), {})
    assert (found.connection, found.interface, found.step) == ("stripe_main", "loyal", "load")
    assert (found.file, found.line) == ("interfaces/loyal.yaml", 13)
    assert found.reads == ("`customers.loyalty` (removed)",)
    assert found.errors == ("no column `loyalty` (E403)",)
    assert affected_now(Workspace.open(project), check_project(Workspace.open(project)), ("cust*",), {}) == ()


def test_upgrade_does_not_report_a_box_with_an_unrelated_error(project: Path) -> None:
    (project / "interfaces" / "loyal.yaml").write_text(BOX.replace("loyalty AS", "loyallty AS"))
    checked = check_project(Workspace.open(project))
    assert checked.has_errors
    assert affected_now(Workspace.open(project), checked, (), {}) == ()


def test_upgrade_that_retypes_a_column_changes_or_breaks_a_box(project: Path) -> None:
    file = project / "interfaces" / "loyal.yaml"
    file.write_text(BOX.replace("loyalty AS name", "name, balance"))
    (found,) = affected_now(Workspace.open(project), check_project(Workspace.open(project)), (), {})
    assert found.reads == ("`customers.balance` (from VARCHAR to BIGINT)",)
    assert (found.errors, found.yields) == ((), ("`balance` (from text to integer)",))
    file.write_text(BOX.replace("loyalty AS name", "CAST(balance AS VARCHAR) AS name"))
    (found,) = affected_now(Workspace.open(project), check_project(Workspace.open(project)), (), {})
    assert (found.errors, found.yields) == ((), ())
    file.write_text(BOX.replace("loyalty AS name", "regexp_replace(balance, 'a', 'b') AS name"))
    (found,) = affected_now(Workspace.open(project), check_project(Workspace.open(project)), (), {})
    assert len(found.errors) == 1
    assert "(E40" in found.errors[0]


def test_upgrade_that_removes_a_table_breaks_its_boxes(project: Path, tmp_path: Path) -> None:
    name = "payment_points"
    relation = Relation((*CATALOGUE.tables["customers"].relation,))
    table = replace(CATALOGUE.tables["customers"], name=name, relation=relation)
    old = replace(CATALOGUE, api_version=OLD, tables={**CATALOGUE.tables, name: table})
    part = Coverage("acct_1", name, Window(None, 1_000), ((),), AS_OF, "list", OLD, 1, 1, True)
    staging = DuckStaging(project / ".weir" / "staging" / "stripe_main.duckdb", old)
    staging.load([spool(tmp_path / "spool", [[{"id": "x"}]], name)], [part], utc_now())
    (project / "interfaces" / "loyal.yaml").write_text(
        BOX.replace("loyalty AS name", "name").replace("FROM customers", f"FROM {name}")
    )
    (found,) = affected_now(Workspace.open(project), check_project(Workspace.open(project)), (), {})
    assert found.reads == (f"`{name}.id` (removed)", f"`{name}.name` (removed)")
    assert found.errors == (f"no table `{name}` (E402)",)


def test_plan_lists_the_boxes_that_an_upgrade_changes(project: Path) -> None:
    (project / "interfaces" / "customers.yaml").unlink()
    file = project / "interfaces" / "loyal.yaml"
    file.write_text(BOX.replace("loyalty AS name", "name, balance"))
    shown = CliRunner().invoke(weir, ["plan", "--project", str(project)])
    assert shown.exit_code == 0, shown.output
    assert (
        "SQL boxes affected by the upgraded API version\n  loyal.load: changes  interfaces/loyal.yaml:10"
        in shown.stdout
    )
    asked = CliRunner().invoke(weir, ["plan", "--project", str(project), "--format", "json"])
    (box,) = json.loads(asked.stdout)["affected_queries"]
    assert box["yields"] == ["`balance` (from text to integer)"]


def test_plan_fails_and_lists_the_boxes_that_an_upgrade_breaks(project: Path) -> None:
    (project / "interfaces" / "loyal.yaml").write_text(BOX)
    shown = CliRunner().invoke(weir, ["plan", "--project", str(project)])
    assert shown.exit_code != 0
    assert "loyal.load: breaks  interfaces/loyal.yaml:13" in shown.stderr
    assert "reads `customers.loyalty` (removed)" in shown.stderr
    asked = CliRunner().invoke(weir, ["plan", "--project", str(project), "--format", "json"])
    assert [each["errors"] for each in json.loads(asked.stdout)["affected_queries"]] == [["no column `loyalty` (E403)"]]
