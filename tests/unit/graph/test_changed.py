"""Imports of changed rows: where they are allowed, and which edits cause a rebuild from all rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.connector import SourceCatalogue, SourceTable
from engine.connectors.stripe import CONNECTOR
from engine.diagnostics import Collector
from engine.duck import DuckBinder
from engine.graph import Extract, Graph, Import, compile_project
from engine.project import resolve_specs
from engine.relation import INTEGER, TEXT, TIMESTAMP, Column, Relation
from engine.source import load_root
from engine.spec import validate_tree

ORDERS = Relation(
    (
        Column("id", TEXT, required=True),
        Column("created", TIMESTAMP, required=True),
        Column("total", INTEGER),
        Column("_changed_at", TIMESTAMP),
        Column("_deleted_at", TIMESTAMP),
    )
)
CATALOGUE = SourceCatalogue("1", {"orders": SourceTable("orders", ORDERS, ("id",), "Orders.", {}, "created")})
FILES = {
    "connections/shop.yaml": (
        "kind: connection\nname: shop\nconnector: stripe\nis_source: true\nis_target: true\nclient_secret: {env: KEY}\n"
    ),
    "schemas/orders.yaml": (
        "kind: schema\nname: orders\ncolumns:\n  id: {type: text, required: true}\n  total: integer\nkey: [id]\n"
    ),
    "schemas/log.yaml": "kind: schema\nname: log\ncolumns: {id: text, changed_at: timestamp}\n",
}
PARAMETERS = (
    "parameters:\n  since: {type: timestamp, default: '2024-01-01T00:00:00Z', track: true}\n"
    "  least: {type: integer, default: 1}\n"
)
SQL = "SELECT id, total FROM changed.orders WHERE created >= {{ since }} AND total >= {{ least }}"
STEPS = f"steps:\n  - name: load\n    import:\n      connection: shop\n      into: orders\n      sql: {SQL}\n"
INTERFACE = f"kind: interface\nname: orders\n{PARAMETERS}{STEPS}"


@pytest.fixture(scope="module")
def binder() -> Iterator[DuckBinder]:
    made = DuckBinder()
    yield made
    made.close()


class Bench:
    def __init__(self, folder: Path, binder: DuckBinder) -> None:
        self.folder, self.binder = folder, binder
        self.files = {**FILES, "interfaces/orders.yaml": INTERFACE}
        self.findings: list[tuple[str, str]] = []

    def compiled(self, given: dict[tuple[str, str], str], by_hand: frozenset[tuple[str, str]]) -> Graph:
        for name, text in self.files.items():
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.folder / name).write_text(text)
        collector = Collector()
        tree = load_root(self.folder, collector)
        project = resolve_specs(validate_tree(tree, collector), tree, {"stripe": CONNECTOR}, collector)
        graph = compile_project(project, {"shop": CATALOGUE}, self.binder, given, collector, by_hand)
        self.findings = [(found.code, found.message) for found in collector if found.code[0] == "E"]
        return graph

    def edited(self, file: str, before: str, after: str) -> Bench:
        assert before in self.files[file]
        made = Bench(self.folder, self.binder)
        made.files = {**self.files, file: self.files[file].replace(before, after)}
        return made

    def parts(self, by_hand: str | None = None, tracked: str | None = None) -> dict[str, str]:
        key = ("orders", "since")
        value = by_hand or tracked
        given = {key: value} if value is not None else {}
        graph = self.compiled(given, frozenset([key] if by_hand is not None else []))
        assert self.findings == []
        (step,) = (step for step in graph.steps if isinstance(step, Import))
        return dict(step.fingerprint)


@pytest.fixture
def bench(tmp_path: Path, binder: DuckBinder) -> Bench:
    return Bench(tmp_path, binder)


def test_import_of_changed_rows_compiles_to_an_import_of_its_table(bench: Bench) -> None:
    graph = bench.compiled({}, frozenset())
    extract, load = graph.steps
    assert isinstance(extract, Extract)
    assert isinstance(load, Import)
    assert (extract.connection, extract.table) == ("shop", "orders")
    assert load.box.bound.changed == ("orders",)
    plain = bench.edited("interfaces/orders.yaml", "changed.orders", "orders").compiled({}, frozenset())
    assert plain.steps[0] == replace(extract)
    assert isinstance(plain.steps[1], Import)
    assert plain.steps[1].fingerprint == ()


@pytest.mark.parametrize(
    ("file", "before", "after", "part"),
    [
        ("interfaces/orders.yaml", "SELECT id, total", "SELECT id, total + 1 AS total", "box"),
        ("interfaces/orders.yaml", "least: {type: integer, default: 1}", "least: {type: integer, default: 2}", "box"),
        ("interfaces/orders.yaml", "into: orders\n", "into: orders\n      map: {id: id}\n", "write"),
        ("interfaces/orders.yaml", "into: orders\n", "into: orders\n      action: update\n", "write"),
        ("interfaces/orders.yaml", "into: orders\n", "into: orders\n      match: {id: id, total: total}\n", "write"),
        ("schemas/orders.yaml", "  total: integer\n", "  total: 'decimal(18,2)'\n", "table"),
    ],
)
def test_edit_changes_the_fingerprint_of_its_part(bench: Bench, file: str, before: str, after: str, part: str) -> None:
    old, new = bench.parts(), bench.edited(file, before, after).parts()
    assert [name for name in old if old[name] != new[name]] == [part]


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("interfaces/orders.yaml", "kind: interface\n", "kind: interface\n# a remark\ndescription: Orders\n"),
        ("interfaces/orders.yaml", "name: load\n", "name: load\n    snapshot: true\n"),
        ("schemas/orders.yaml", "total: integer", "total: {type: integer, description: In cents}"),
    ],
)
def test_edit_without_effect_on_rows_keeps_the_fingerprint(bench: Bench, file: str, before: str, after: str) -> None:
    assert bench.edited(file, before, after).parts() == bench.parts()


def test_tracked_parameter_does_not_change_the_fingerprint(bench: Bench) -> None:
    first = bench.parts()
    assert bench.parts(tracked="2026-01-01T00:00:00Z") == first
    assert bench.parts(by_hand="2020-01-01T00:00:00Z") != first
    assert bench.parts(tracked="2026-01-01T00:00:00Z", by_hand="2020-01-01T00:00:00Z")["box"] != first["box"]


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ("import: {connection: shop, into: orders, action: replace, sql: 'SELECT id FROM changed.orders'}", "E422"),
        ("import: {connection: shop, into: log, action: insert, sql: 'SELECT id FROM changed.orders_all'}", "E422"),
        ("call: {connection: shop, function: orders.pay, sql: 'SELECT id FROM changed.orders'}", "E423"),
        (
            "export: {connection: shop, entity: customers, match: {id: id}, map: {email: id}, "
            "sql: 'SELECT id FROM changed.orders'}",
            "E423",
        ),
        ("stop_if: 'SELECT count(*) = 0 FROM changed.orders'", "E402"),
        ("respond: {sql: 'SELECT id FROM changed.orders'}", "E402"),
        ("transform: {into: log, action: insert, sql: 'SELECT id FROM changed.orders'}", "E402"),
    ],
)
def test_unsupported_use_of_changed_rows_is_refused(bench: Bench, steps: str, code: str) -> None:
    bench.files["interfaces/orders.yaml"] = f"kind: interface\nname: orders\nsteps:\n  - {steps}\n"
    graph = bench.compiled({}, frozenset())
    assert [found for found, _ in bench.findings] == [code]
    assert not [step for step in graph.steps if not isinstance(step, Extract)]


@pytest.mark.parametrize("name", ["changed", "weir"])
def test_connection_with_the_name_of_a_namespace_is_refused(bench: Bench, name: str) -> None:
    bench.files["connections/shop.yaml"] = FILES["connections/shop.yaml"].replace("name: shop", f"name: {name}")
    bench.compiled({}, frozenset())
    assert any("reserved" in message or name in message for _, message in bench.findings)
