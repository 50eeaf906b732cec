"""Compiling with a small catalogue: steps, mapping, needs, parameters, order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.connector import Op, Predicate, SourceCatalogue, SourceTable
from engine.connectors.stripe import CONNECTOR
from engine.diagnostics import Collector
from engine.duck import DuckBinder
from engine.graph import Extract, Graph, Import, MapColumn, Respond, StopIf, compile_project
from engine.project import resolve_specs
from engine.relation import INTEGER, TEXT, TIMESTAMP, Column, Relation
from engine.source import load_root
from engine.spec import validate_tree

ORDERS = Relation(
    (
        Column("id", TEXT, required=True),
        Column("created", TIMESTAMP, required=True),
        Column("total", INTEGER),
        Column("status", TEXT),
    )
)
CATALOGUE = SourceCatalogue("1", {"orders": SourceTable("orders", ORDERS, ("id",), "Orders.", {}, "created")})
FILES = {
    "connections/shop.yaml": (
        "kind: connection\nname: shop\nconnector: stripe\nis_source: true\nclient_secret: {env: KEY}\n"
    ),
    "schemas/orders.yaml": (
        "kind: schema\nname: orders\ncolumns:\n  order_id: {type: text, required: true}\n"
        "  total: {type: integer, default: 0}\n  status: text\nkey: [order_id]\n"
    ),
}
HEAD = "kind: interface\nname: orders\n"


@pytest.fixture(scope="module")
def binder() -> Iterator[DuckBinder]:
    made = DuckBinder()
    yield made
    made.close()


def compiled(
    folder: Path, binder: DuckBinder, interface: str, given: dict[tuple[str, str], str] | None = None
) -> tuple[Graph, list[tuple[str, str]]]:
    for name, text in {**FILES, "interfaces/orders.yaml": HEAD + interface}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    collector = Collector()
    tree = load_root(folder, collector)
    project = resolve_specs(validate_tree(tree, collector), tree, {"stripe": CONNECTOR}, collector)
    graph = compile_project(project, {"shop": CATALOGUE}, binder, given or {}, collector)
    return graph, [(found.code, found.message) for found in collector]


def the_import(graph: Graph) -> Import:
    (found,) = (step for step in graph.steps if isinstance(step, Import))
    return found


def test_import_compiles_to_an_extract_and_a_write(tmp_path: Path, binder: DuckBinder) -> None:
    text = (
        "parameters: {since: {type: timestamp, default: '2024-01-01T01:00:00+01:00'}}\n"
        "steps:\n  - name: load\n    import:\n      connection: shop\n"
        "      sql: SELECT id, total FROM orders WHERE created >= {{ since }}\n      into: orders\n"
        "      map: {order_id: id, total: {from: total, skip_if_empty: true},"
        " status: {expr: \"upper('new')\", default: x}}\n"
    )
    graph, found = compiled(tmp_path, binder, text)
    assert found == []
    extract, load = graph.steps
    assert isinstance(extract, Extract)
    ((step, need),) = extract.needs
    assert (step, need.columns) == ("orders.load", ("id", "created", "total"))
    assert need.where == ((Predicate("created", Op.GE, (1_704_067_200,)),),)
    assert isinstance(load, Import)
    assert load.match == (("order_id", "id"),)
    assert load.mapping == (
        MapColumn("order_id", "id"),
        MapColumn("total", "total", default="0", skip_if_empty=True),
        MapColumn("status", None, "upper('new')", "'x'"),
    )
    assert load.box.scope == ("shop", "schema")


def test_columns_with_equal_names_are_mapped_automatically(tmp_path: Path, binder: DuckBinder) -> None:
    text = (
        "steps:\n  - import:\n      connection: shop\n      into: orders\n"
        "      sql: SELECT id AS ORDER_ID, status FROM orders\n"
    )
    graph, found = compiled(tmp_path, binder, text)
    assert found == []
    assert the_import(graph).mapping == (
        MapColumn("order_id", "ORDER_ID"),
        MapColumn("total", default="0"),
        MapColumn("status", "status"),
    )
    assert the_import(graph).match == (("order_id", "ORDER_ID"),)


def test_given_parameters_override_defaults(tmp_path: Path, binder: DuckBinder) -> None:
    text = (
        "parameters:\n  least: {type: integer, default: 1}\n  states: {type: 'text[]', default: [a]}\n"
        "steps:\n  - import:\n      connection: shop\n      into: orders\n"
        "      sql: SELECT id AS order_id FROM orders WHERE total >= {{ least }} AND status IN {{ states }}\n"
    )
    given = {("orders", "least"): "7", ("orders", "states"): "x,y"}
    graph, found = compiled(tmp_path, binder, text, given)
    assert found == []
    assert "total >= 7 AND status IN ('x', 'y')" in the_import(graph).box.sql
    _, wrong = compiled(tmp_path, binder, text, {("orders", "least"): "many"})
    assert wrong == [("E418", "`least`: expected a whole number")]


def test_parameter_without_a_value_is_bound_as_null(tmp_path: Path, binder: DuckBinder) -> None:
    text = (
        "parameters: {since: {type: timestamp, track: true}, only: {type: 'integer[]'}}\n"
        "steps:\n  - import:\n      connection: shop\n      into: orders\n"
        "      sql: SELECT id AS order_id FROM orders WHERE created >= {{ since }} AND total IN {{ only }}\n"
    )
    graph, found = compiled(tmp_path, binder, text)
    assert found == []
    assert graph.unset == (("orders", "since"), ("orders", "only"))


def test_stop_if_transform_and_respond_compile_to_their_steps(tmp_path: Path, binder: DuckBinder) -> None:
    text = (
        "steps:\n  - import: {connection: shop, into: orders, sql: SELECT id AS order_id FROM orders}\n"
        "  - stop_if: SELECT count(*) = 0 FROM orders\n"
        "  - transform: {into: orders, action: replace, sql: SELECT * FROM orders WHERE status = 'a'}\n"
        "  - respond: {sql: SELECT * FROM orders LIMIT 3}\n"
    )
    graph, found = compiled(tmp_path, binder, text)
    assert found == []
    own = [step for step in graph.steps if not isinstance(step, Extract)]
    assert [type(step) for step in own] == [Import, StopIf, Import, Respond]
    assert [step.after for step in own] == [(), ("orders.import_1",), ("orders.stop_if_2",), ("orders.transform_3",)]
    transform = own[2]
    assert isinstance(transform, Import)
    assert transform.connection is None
    assert transform.box.scope == ("schema",)
    assert sum(isinstance(step, Extract) for step in graph.steps) == 1


def test_compile_reports_all_errors_at_once(tmp_path: Path, binder: DuckBinder) -> None:
    text = (
        "steps:\n  - import: {connection: shop, into: orders, sql: SELECT idd AS order_id FROM orders}\n"
        "  - stop_if: SELECT 1\n  - respond: {sql: SELECT nope FROM orders}\n"
        "  - import: {connection: shop, into: orders, sql: SELECT id FROM orders, map: {order_id: id, nope: id}}\n"
    )
    graph, found = compiled(tmp_path, binder, text)
    assert sorted(code for code, _ in found) == ["E403", "E403", "E412", "E416"]
    assert [step.id for step in graph.steps if not isinstance(step, Extract)] == ["orders.import_4"]
