"""Plans are deterministic, hash only the meaning, convert to and from JSON, and follow the selection."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.connector import Connector, Coverage, EventInterval, Mirror, VersionMove, Window
from engine.connectors.stripe import CONNECTOR
from engine.diagnostics import Collector
from engine.duck import DuckBinder
from engine.graph import Extract, Graph, Import, compile_project
from engine.plan import (
    Known,
    Mirrors,
    Plan,
    compare_plans,
    plan_from_json,
    plan_graph,
    plan_to_json,
    select_interfaces,
    totals,
)
from engine.plan.select import report_unset
from engine.project import Project, resolve_specs
from engine.source import load_root
from engine.spec import validate_tree

CONNECTORS: dict[str, Connector] = {"stripe": CONNECTOR}
CONNECTION = (
    "kind: connection\nname: stripe_main\nconnector: stripe\nis_source: true\nclient_secret: {env: STRIPE_SECRET_KEY}\n"
)
SCHEMA = "kind: schema\nname: people\ncolumns:\n  id: {type: text, required: true}\n  email: text\nkey: [id]\n"
INTERFACE = """\
kind: interface
name: people
steps:
  - name: load
    import:
      connection: stripe_main
      sql: |
        SELECT id, email FROM customers WHERE created >= TIMESTAMP '2025-01-01'
      into: people
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("connections", CONNECTION), ("schemas", SCHEMA), ("interfaces", INTERFACE)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.yaml").write_text(text)
    return tmp_path


def compiled(folder: Path) -> tuple[Project, Graph, Collector]:
    collector = Collector()
    tree = load_root(folder, collector)
    project = resolve_specs(validate_tree(tree, collector), tree, CONNECTORS, collector)
    catalogues = {name: CONNECTOR.catalogue(None) for name in project.connections}
    graph = compile_project(project, catalogues, DuckBinder(), {}, collector)
    assert not collector.has_errors, list(collector)
    return project, graph, collector


NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def planned(folder: Path, names: list[str] | None = None, mirrors: Mirrors | None = None) -> Plan:
    project, graph, collector = compiled(folder)
    chosen = select_interfaces(project, names or [], graph.interfaces, collector)
    return plan_graph(graph, project, CONNECTORS, chosen, Known(NOW, mirrors) if mirrors is not None else None)


def mirrored(*coverage: Coverage, account: str = "") -> Mirror:
    """A mirror with 1,234 customers."""
    return Mirror(account, coverage, EventInterval(NOW, NOW, NOW), (), {"customers": 1234})


def test_plan_lists_reads_and_writes(folder: Path) -> None:
    plan = planned(folder)
    read, load = plan.tasks
    assert isinstance(read.step, Extract)
    assert isinstance(load.step, Import)
    assert [(r.method, r.path, dict(r.params)) for r in read.reads[0].requests] == [
        ("GET", "/v1/customers", {"created[gte]": "1735689600", "limit": "100"})
    ]
    assert load.needs == ("stripe_main:customers",)
    assert load.action == "upsert"
    assert load.step.match == (("id", "id"),)


def test_plan_hash_ignores_files_comments_and_layout(folder: Path) -> None:
    before = planned(folder)
    (folder / "interfaces" / "deep").mkdir()
    shutil.move(folder / "interfaces" / "one.yaml", folder / "interfaces" / "deep" / "other.yaml")
    text = (folder / "connections" / "one.yaml").read_text()
    (folder / "connections" / "one.yaml").write_text("# a comment\n\n" + text)
    after = planned(folder)
    assert after.hash == before.hash
    assert compare_plans(before, after) == ()


def test_plan_hash_changes_with_the_meaning(folder: Path) -> None:
    before = planned(folder)
    (folder / "interfaces" / "one.yaml").write_text(INTERFACE.replace("2025-01-01", "2025-02-01"))
    after = planned(folder)
    assert after.hash != before.hash
    changes = {change.address: change for change in compare_plans(before, after)}
    assert set(changes) == {"people.load", "stripe_main:customers"}
    assert "step.box" in changes["people.load"].fields


def test_plan_reads_back_from_json(folder: Path) -> None:
    plan = planned(folder)
    document = json.loads(json.dumps(plan_to_json(plan)))
    back = plan_from_json(document)
    assert back.hash == plan.hash
    assert json.dumps(plan_to_json(back)) == json.dumps(plan_to_json(plan))


def test_edited_plan_file_is_refused(folder: Path) -> None:
    document = json.loads(json.dumps(plan_to_json(planned(folder))))
    document["tasks"][1]["step"]["action"] = "replace"
    with pytest.raises(ValueError, match="modified after it was written"):
        plan_from_json(document)
    with pytest.raises(ValueError, match="format_version"):
        plan_from_json({**document, "format_version": 99})
    with pytest.raises(ValueError, match="not a plan"):
        plan_from_json({"format_version": 1})


def test_plan_reads_only_for_selected_interfaces(folder: Path) -> None:
    (folder / "schemas" / "two.yaml").write_text(SCHEMA.replace("people", "firms"))
    other = INTERFACE.replace("people", "firms").replace("customers", "charges").replace("email", "currency AS email")
    (folder / "interfaces" / "two.yaml").write_text(other)
    assert {task.id for task in planned(folder, ["people"]).tasks} == {"stripe_main:customers", "people.load"}
    assert len(planned(folder).tasks) == 4
    assert {task.id for task in planned(folder, ["f*"]).tasks} == {"stripe_main:charges", "firms.load"}


def test_unknown_interface_is_reported_with_a_candidate(folder: Path) -> None:
    project, graph, collector = compiled(folder)
    assert select_interfaces(project, ["peple"], graph.interfaces, collector) == []
    found = [item for item in collector if item.code == "E501"]
    assert found[0].hint == "did you mean `people`?"


def test_estimate_follows_the_rows_of_the_mirror(folder: Path) -> None:
    assert planned(folder).tasks[0].estimate.requests is None
    assert planned(folder, mirrors={"stripe_main": [mirrored()]}).tasks[0].estimate.requests == 13
    two = {"stripe_main": [mirrored(account="acct_1"), mirrored(account="acct_2")]}
    assert planned(folder, mirrors=two).tasks[0].estimate.requests == 26


def test_estimate_with_a_mirror_counts_only_missing_windows(folder: Path) -> None:
    version = CONNECTOR.catalogue(None).api_version
    covered = Coverage("", "customers", Window(None, 1_795_000_000), ((),), NOW, "list", version, 1, 1, True, (), NOW)
    plan = planned(folder, mirrors={"stripe_main": [mirrored(covered)]})
    estimate = plan.tasks[0].estimate
    assert (estimate.requests, estimate.rows) == (1, None)
    (line,) = estimate.now
    assert line.startswith("the mirror has it as of 2026-11-20 12")
    assert "created[gte]=1794999700" in line
    assert [(each.what, each.estimate.requests) for each in plan.beside] == [("events", 1), ("account", 1)]
    assert plan.beside[0].estimate.now[0].startswith("what has changed since: GET /v1/events?created[gte]=")
    assert totals(plan).requests == 3
    assert plan_from_json(plan_to_json(plan)) == plan


def test_plan_shows_the_columns_that_an_upgrade_changes(folder: Path) -> None:
    move = VersionMove("2025-01-01.old", ("new",), ("gone",), (("email", "INTEGER", "VARCHAR"),))
    old = Coverage("", "customers", Window(None, None), ((),), NOW, "list", "2025-01-01.old", 1, 1, True, (), NOW)
    plan = planned(folder, mirrors={"stripe_main": [replace(mirrored(old), moves={"customers": move})]})
    version = CONNECTOR.catalogue(None).api_version
    assert plan.tasks[0].estimate.now[0] == (
        f"full read: the API version changes from 2025-01-01.old to {version}; "
        "columns added: new, removed: gone, retyped: email (INTEGER to VARCHAR)"
    )
    assert (plan.tasks[0].estimate.requests, totals(plan).requests) == (13, 15)


def test_plan_hash_ignores_the_contents_of_staging(folder: Path) -> None:
    assert planned(folder, mirrors={"stripe_main": [mirrored()]}).hash == planned(folder).hash


def test_steps_keep_their_order_around_a_skipped_one(folder: Path) -> None:
    (folder / "connections" / "two.yaml").write_text(CONNECTION.replace("stripe_main", "off") + "is_active: false\n")
    tidy = "  - name: NAME\n    transform: {into: people, action: replace, sql: SELECT * FROM people}\n"
    skipped = INTERFACE[INTERFACE.index("  - name: load") :].replace("load", "middle").replace("stripe_main", "off")
    text = INTERFACE + tidy.replace("NAME", "first") + skipped + tidy.replace("NAME", "last")
    (folder / "interfaces" / "one.yaml").write_text(text)
    tasks = {task.id: task for task in planned(folder).tasks}
    assert "people.middle" not in tasks
    assert tasks["people.last"].needs == ("people.first",)


def test_interfaces_depend_on_those_whose_tables_they_read(folder: Path) -> None:
    (folder / "schemas" / "two.yaml").write_text(SCHEMA.replace("people", "firms"))
    step = "{name: copy, transform: {into: firms, sql: SELECT * FROM people}}"
    text = f"kind: interface\nname: a_firms\nsteps:\n  - {step}\n"
    (folder / "interfaces" / "two.yaml").write_text(text)
    plan = planned(folder)
    assert [task.id for task in plan.tasks] == ["stripe_main:customers", "people.load", "a_firms.copy"]
    assert plan.tasks[-1].needs == ("people.load",)
    assert planned(folder, ["a_firms"]).tasks[0].needs == ()


def test_inactive_parts_are_skipped_with_a_reason(folder: Path) -> None:
    (folder / "connections" / "one.yaml").write_text(CONNECTION + "is_active: false\n")
    plan = planned(folder)
    assert [task.id for task in plan.tasks] == []
    assert [(item.address, item.reason) for item in plan.skipped] == [
        ("people.load", "the connection `stripe_main` is inactive")
    ]
    (folder / "interfaces" / "one.yaml").write_text(INTERFACE + "is_active: false\n")
    assert "people" in {item.address for item in planned(folder).skipped}


def test_parameter_without_a_value_is_reported_only_if_selected(folder: Path) -> None:
    text = INTERFACE.replace("TIMESTAMP '2025-01-01'", "{{ since }}") + "parameters: {since: {type: timestamp}}\n"
    (folder / "interfaces" / "one.yaml").write_text(text)
    project, graph, _ = compiled(folder)
    collector = Collector()
    report_unset(graph, [], project, collector)
    assert len(collector) == 0
    report_unset(graph, ["people"], project, collector)
    assert [item.code for item in collector] == ["E502"]
