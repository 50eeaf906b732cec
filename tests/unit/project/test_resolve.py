"""Resolving replaces names by their definitions and reports each error once."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.connectors.stripe import CONNECTOR, StripeConnector
from engine.diagnostics import Collector
from engine.project import Project, resolve_specs
from engine.source import load_root
from engine.spec import validate_tree

CONNECTION = (
    "kind: connection\nname: stripe_main\nconnector: stripe\nis_source: true\nclient_secret: {env: KEY}\n"
    "sql: SELECT id FROM customers\n"
)
SCHEMA = "kind: schema\nname: people\ncolumns:\n  id: text\n  score: {type: integer, default: 3}\nkey: [id]\n"
INTERFACE = "kind: interface\nname: people\nsteps:\n  - import: {connection: stripe_main, into: people}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("connections", CONNECTION), ("schemas", SCHEMA), ("interfaces", INTERFACE)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.yaml").write_text(text)
    return tmp_path


def resolved(folder: Path) -> tuple[Project, list[str]]:
    collector = Collector()
    tree = load_root(folder, collector)
    project = resolve_specs(validate_tree(tree, collector), tree, {"stripe": CONNECTOR}, collector)
    return project, sorted(found.code for found in collector)


def test_names_resolve_to_their_definitions(folder: Path) -> None:
    project, codes = resolved(folder)
    assert codes == []
    (step,) = project.interfaces["people"].steps
    assert step.name == "import_1"
    assert step.connection is project.connections["stripe_main"]
    assert step.table is project.tables["people"]
    assert not step.broken


def test_import_without_sql_uses_that_of_its_connection(folder: Path) -> None:
    (step,) = resolved(folder)[0].interfaces["people"].steps
    assert step.box is not None
    assert step.box.text == "SELECT id FROM customers"
    assert step.box.place.file == "connections/one.yaml"


def test_key_columns_are_required_and_defaults_are_kept(folder: Path) -> None:
    table = resolved(folder)[0].tables["people"]
    assert [column.required for column in table.relation] == [True, False]
    assert dict(table.defaults) == {"score": 3}
    assert table.key == ("id",)


def test_sql_file_path_is_relative_to_its_interface(folder: Path) -> None:
    (folder / "interfaces" / "deep").mkdir()
    (folder / "interfaces" / "one.yaml").unlink()
    text = INTERFACE.replace("into: people", "sql_file: ../box.sql, into: people")
    (folder / "interfaces" / "deep" / "one.yaml").write_text(text)
    (folder / "interfaces" / "box.sql").write_text("SELECT 1 AS id")
    project, codes = resolved(folder)
    box = project.interfaces["people"].steps[0].box
    assert codes == []
    assert box is not None
    assert (box.text, box.place.file) == ("SELECT 1 AS id", "interfaces/box.sql")


def test_sql_file_outside_the_project_is_refused(folder: Path) -> None:
    outside = folder.parent / "outside.sql"
    outside.write_text("SELECT 1 AS id")
    path = "../../outside.sql"
    (folder / "interfaces" / "one.yaml").write_text(
        INTERFACE.replace("into: people", f"sql_file: {path}, into: people")
    )
    assert "E309" in resolved(folder)[1]


def test_reference_to_a_broken_or_duplicate_definition_is_not_reported(folder: Path) -> None:
    (folder / "connections" / "one.yaml").write_text(CONNECTION + "is_sorce: true\n")
    project, codes = resolved(folder)
    assert codes == ["E201"]
    assert project.interfaces["people"].steps[0].broken
    (folder / "connections" / "one.yaml").write_text(CONNECTION)
    (folder / "connections" / "two.yaml").write_text(CONNECTION)
    project, codes = resolved(folder)
    assert codes == ["E303"]
    assert project.interfaces["people"].steps[0].broken


def test_resolved_definitions_are_sorted_by_name(folder: Path) -> None:
    (folder / "connections" / "a.yaml").write_text(CONNECTION.replace("stripe_main", "zebra"))
    (folder / "connections" / "z.yaml").write_text(CONNECTION.replace("stripe_main", "ant"))
    assert list(resolved(folder)[0].connections) == ["ant", "stripe_main", "zebra"]


def test_sandbox_of_a_connector_without_one_is_refused(folder: Path) -> None:
    class Unsimulated(StripeConnector):
        @property
        def has_sandbox(self) -> bool:
            return False

    (folder / "connections" / "one.yaml").write_text(f"{CONNECTION}base_url: sandbox\n")
    tree = load_root(folder, Collector())
    for connector, expected in ((CONNECTOR, []), (Unsimulated(), ["E215"])):
        collector = Collector()
        resolve_specs(validate_tree(tree, collector), tree, {"stripe": connector}, collector)
        assert [found.code for found in collector] == expected
