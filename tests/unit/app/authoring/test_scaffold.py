"""New projects and definitions are valid YAML with the requested content."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from engine.app.authoring.json_schemas import stale_schemas, write_schemas
from engine.app.authoring.scaffold import connection_text, schema_text, start_project, write_definition
from engine.app.checking.check import check_cases, check_project
from engine.app.errors import RefusalError
from engine.app.files import write_whole
from engine.app.workspace import Workspace


def test_start_project_keeps_existing_files(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("mine")
    written, kept = start_project(tmp_path)
    assert kept == ("Makefile",)
    assert "Makefile" not in written
    assert (tmp_path / "Makefile").read_text() == "mine"
    assert check_project(Workspace.open(tmp_path)).diagnostics == ()


@pytest.mark.parametrize("part", ["weir.yaml", "interfaces/mine.yaml"])
def test_start_project_refuses_a_folder_with_a_project(tmp_path: Path, part: str) -> None:
    (tmp_path / part).parent.mkdir(exist_ok=True)
    (tmp_path / part).write_text("# mine\n")
    with pytest.raises(RefusalError, match="is there already"):
        start_project(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / part]


def test_new_project_checks_without_findings(tmp_path: Path) -> None:
    written, kept = start_project(tmp_path / "new")
    assert kept == ()
    assert all((tmp_path / "new" / path).is_file() for path in written)
    checked = check_cases(Workspace.open(tmp_path / "new"), check_project(Workspace.open(tmp_path / "new")))
    assert checked.diagnostics == ()
    assert [step.id for step in checked.graph.steps] == ["stripe_main:customers", "customers.load"]
    assert [case.interface for case in checked.cases] == ["customers", "customers"]


def test_schema_text_with_commas_in_types_parses_back() -> None:
    text = schema_text("t", [("id", "text"), ("amount", "decimal(18,2)")], ["id", "amount"])
    read = yaml.safe_load(text)
    assert read["columns"] == {
        "id": {"type": "text", "required": True},
        "amount": {"type": "decimal(18,2)", "required": True},
    }
    assert read["key"] == ["id", "amount"]


def test_schema_text_quotes_reserved_yaml_words() -> None:
    text = schema_text("t", [("null", "text"), ("true", "boolean"), ("no", "text")], ["null"])
    assert yaml.safe_load(text)["key"] == ["null"]
    assert set(yaml.load(text, yaml.BaseLoader)["columns"]) == {"null", "true", "no"}
    assert '"true": boolean' in text


def test_connection_text_refers_to_the_key_by_variable() -> None:
    read = yaml.safe_load(connection_text("eu", "stripe", "EU_KEY", sandbox=True))
    assert read["client_secret"] == {"env": "EU_KEY"}
    assert read["base_url"] == "sandbox"


def test_write_definition_refuses_an_existing_file(tmp_path: Path) -> None:
    path = write_definition(tmp_path, "schema", "t", "kind: schema\n")
    with pytest.raises(RefusalError, match="is there already"):
        write_definition(tmp_path, "schema", "t", "other")
    assert path.read_text() == "kind: schema\n"


def test_write_whole_replaces_the_file_and_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("old")
    file.chmod(0o640)
    write_whole(file, "new")
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_stale_schemas_lists_changed_files(tmp_path: Path) -> None:
    paths = write_schemas(tmp_path)
    assert stale_schemas(tmp_path) == ()
    (tmp_path / paths[0]).write_text("{}")
    assert stale_schemas(tmp_path) == (paths[0],)
    write_schemas(tmp_path)
    assert stale_schemas(tmp_path) == ()


def test_json_schemas_of_the_repository_are_current() -> None:
    assert stale_schemas(Path(__file__).parents[4]) == ()
