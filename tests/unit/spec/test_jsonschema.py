"""The committed JSON Schemas are current and agree with the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from engine.diagnostics import Collector
from engine.source import load_root, plain
from engine.spec import json_schema, schema_files, validate_suites, validate_tree
from tests.support.documents import CASES as SUITE
from tests.support.documents import CONNECTION, FILES, INTERFACE, SCHEMA

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests/golden"
FOLDERS = {"connections": "connection", "interfaces": "interface", "schemas": "schema"}
KINDS = [*FOLDERS.values(), "test"]
BEYOND = {"E207", "E212"}
"""What JSON Schema cannot express: keys in comments, and references to other parts of the file."""
VALIDATORS = {kind: jsonschema.Draft202012Validator(json_schema(kind)) for kind in KINDS}


def problems(kind: str, data: object) -> list[str]:
    return [error.message for error in VALIDATORS[kind].iter_errors(data)]


@pytest.mark.parametrize("name", [f"{kind}.schema.json" for kind in KINDS])
def test_committed_schemas_are_current(name: str) -> None:
    assert (ROOT / "schemas" / name).read_text(encoding="utf-8") == schema_files()[name], "stale: run `make generated`"


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_are_json_schema_2020_12_with_descriptions(kind: str) -> None:
    schema = json_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    objects = [schema, *schema["$defs"].values()]
    for part in objects:
        assert part["description"]
        assert part["additionalProperties"] is False
        for name, field in part["properties"].items():
            assert name == "kind" or field.get("description"), name


@pytest.mark.parametrize("file", [file for file in FILES if "/" in file])
def test_valid_definitions_match_their_schema(file: str) -> None:
    kind = FOLDERS[file.split("/")[0]]
    assert problems(kind, yaml.safe_load(FILES[file])) == []


def test_examples_in_the_schemas_match_them() -> None:
    def walk(part: Any, kind: str) -> int:
        count = 0
        if isinstance(part, dict):
            for example in part.get("examples", ()) if isinstance(part.get("examples"), list) else ():
                there = {"$defs": json_schema(kind)["$defs"], **{k: v for k, v in part.items() if k != "examples"}}
                assert jsonschema.Draft202012Validator(there).is_valid(example), example
                count += 1
            count += sum(walk(item, kind) for item in part.values())
        elif isinstance(part, list):
            count += sum(walk(item, kind) for item in part)
        return count

    assert sum(walk(json_schema(kind), kind) for kind in KINDS) > 15


def definitions(root: Path) -> list[tuple[str, str, object, set[str]]]:
    """Kind, file, values and codes of every YAML definition below `root`."""
    collector = Collector()
    tree = load_root(root, collector)
    unreadable = {found.place.file for found in collector if found.place}
    validate_tree(tree, collector)
    validate_suites(tree, collector)
    return [
        (
            "test" if file in tree.cases else FOLDERS[document.folder],
            file,
            plain(document.root),
            {found.code for found in collector if found.place and found.place.file == file},
        )
        for file, document in (*tree.documents.items(), *tree.cases.items())
        if document.folder in FOLDERS and document.root is not None and file not in unreadable
    ]


@pytest.mark.parametrize("root", [ROOT, CASES / "base"], ids=["shipped", "base"])
def test_shipped_definitions_match_their_schema(root: Path) -> None:
    found = definitions(root)
    assert len(found) >= 3
    for kind, file, data, codes in found:
        assert (file, problems(kind, data), codes) == (file, [], set())


def test_shipped_definitions_name_their_schema() -> None:
    for folder, kind in FOLDERS.items():
        for path in (ROOT / folder).rglob("*.yaml"):
            named = "test" if path.name.endswith(".test.yaml") else kind
            first = path.read_text(encoding="utf-8").splitlines()[0]
            before, written = first.split("$schema=")
            assert before == "# yaml-language-server: "
            assert (path.parent / written).resolve() == ROOT / "schemas" / f"{named}.schema.json", path


@pytest.mark.parametrize("case", sorted(path.name for path in (CASES / "cases").iterdir()))
def test_json_schema_and_models_agree_on_the_golden_cases(case: str) -> None:
    for kind, file, data, codes in definitions(CASES / "cases" / case):
        refused = {code for code in codes if code.startswith("E2")} - BEYOND
        if "E210" in codes and "step_names" in case:
            continue  # JSON Schema cannot express that step names are unique.
        if "calendars" in case:
            continue  # Nor impossible dates, time zones, and durations in different units.
        assert bool(problems(kind, data)) == bool(refused), (file, codes, problems(kind, data))


@pytest.mark.parametrize(
    ("kind", "text", "old", "new"),
    [
        ("connection", CONNECTION, "client_secret: {env: STRIPE_SECRET_KEY}", "client_secret: hunter2"),
        ("connection", CONNECTION, "env: STRIPE_SECRET_KEY", "env: A, file: b"),
        ("connection", CONNECTION, "mode: test", "mode: sandbox"),
        ("connection", CONNECTION, "base_url: null", "base_url: http://example.com"),
        ("connection", CONNECTION, "x-team", "team"),
        ("schema", SCHEMA, "email: text", "email: varchar"),
        ("schema", SCHEMA, "email: text", "E-Mail: text"),
        ("interface", INTERFACE, "action: replace", "action: merge"),
        ("interface", INTERFACE, "timeout: 30m", "timeout: 30"),
        ("interface", INTERFACE, "sql_file: finalize.sql", "sql_file: finalize.sql\n      sql: SELECT 1"),
        ("interface", INTERFACE, "type: timestamp", "type: text"),
        ("test", SUITE, "do: update", "do: change"),
        ("test", SUITE, "rejects: {load: 1}", "rejects: {load: -1}"),
        ("test", SUITE, "charges: []", "charges: {}"),
        ("test", SUITE, "x-note: mine", "note: mine"),
    ],
)
def test_schemas_refuse_typical_mistakes(kind: str, text: str, old: str, new: str) -> None:
    assert old in text
    assert problems(kind, yaml.safe_load(text)) == []
    assert problems(kind, yaml.safe_load(text.replace(old, new))) != []


def test_schemas_are_deterministic() -> None:
    assert schema_files() == schema_files()
    assert json.loads(schema_files()["schema.schema.json"]) == json_schema("schema")
