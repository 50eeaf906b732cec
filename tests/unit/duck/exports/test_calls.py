"""Calls for rows: exactly one call for each row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from engine.connector import Effect, Failure, FailureKind, Parameter, ParameterKind, Verb
from engine.duck import DuckStaging
from engine.graph import Bound, Box, ExportAction, Import, WriteColumn
from engine.graph.passes.call import answer_relation
from engine.plan import FieldChange, PlannedWrite
from engine.relation import INTEGER, TEXT, Column, Relation
from engine.run import CallJob, RowOutcome, RowStatus
from tests.support.duck.exported import CATALOGUE, PLACE, TABLE, VOID, Shop, by, call, column, export
from tests.unit.duck.exports.test_compare import key

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
REFUND = Verb("refunds.create", "POST /v1/refunds", Effect.MONEY, of_object=False)
ID = WriteColumn("id", Parameter("id", ParameterKind.TEXT, required=True), source="id")
ROWS = "SELECT * FROM (VALUES ('x', 'one'), ('y', NULL)) AS t (id, name)"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_call_passes_its_object_beside_the_parameters(shop: Shop) -> None:
    found = shop.calls(call(ID, column("name")), ROWS)
    change = FieldChange("name", None, "one")
    assert found.writes == (
        PlannedWrite("call", "things.void", '["x","one"]', 0, "x", (("name", "one"),), (change,), "x"),
        PlannedWrite("call", "things.void", '["y",null]', 1, "y", (), (), "y"),
    )


def test_call_without_an_object_sends_all_mapped_parameters(shop: Shop) -> None:
    step = call(column("customer"), column("amount", currency="currency"), column("currency", "c"), verb=REFUND)
    (write,) = shop.calls(step, "SELECT 'cus_1' AS customer, 12.5::DECIMAL(4,2) AS amount, 'EUR' AS c").writes
    assert write.object is None
    assert write.parameters == (("customer", "cus_1"), ("amount", "1250"), ("currency", "eur"))
    assert write.lane == "cus_1", "calls for one customer go one after the other"


def test_row_that_was_called_is_not_called_again(shop: Shop) -> None:
    step = call(ID, column("name"), key=("id",))
    found = shop.calls(step, ROWS, frozenset([key("x")]))
    assert [each.object for each in found.writes] == ["y"]
    assert (found.rows, found.unchanged) == (2, 1)
    changed = shop.calls(step, "SELECT 'x' AS id, 'two' AS name", frozenset([key("x")]))
    assert changed.writes == (), "the key identifies the call, not the values"
    by_values = shop.calls(call(ID, column("name")), "SELECT 'x' AS id, 'two' AS name", frozenset([key("x", "one")]))
    assert len(by_values.writes) == 1, "without a key, other values are another call"


def test_rows_with_unusable_values_or_keys_are_refused(shop: Shop) -> None:
    step = call(ID, column("quantity", "name"), key=("k",))
    sql = (
        "SELECT * FROM (VALUES ('a', 'x', '1'), ('a', 'y', '2'), ('b', NULL, '3'), ('c', 'z', 'many'), "
        "(NULL, 'n', '4'), ('e', 'e', '5'), ('d', 'd', '6'), ('d', 'd', '7')) AS t (k, id, name)"
    )
    found = shop.calls(step, sql, frozenset([key("d")]), blocked=frozenset([key("e")]))
    assert found.writes == ()
    assert [(each.row, each.problem) for each in found.refusals] == [
        (0, "the row would repeat the call of another row"),
        (1, "the row would repeat the call of another row"),
        (2, "`id` has no value, and `things.void` needs one"),
        (3, "`quantity` is not an integer of 64 bits"),
        (4, "the row has no value in its key, which must identify its call"),
        (5, "the row has an earlier write with an unknown outcome: `weir ops list` shows it"),
    ]
    assert found.unchanged == 2


def test_call_resolves_references_and_expressions(shop: Shop) -> None:
    step = call(column("parent", "up", ref="parents"), column("name", None, expr="upper(n)"), verb=REFUND)
    references = {"parents": {key("1"): "p_1"}}
    found = shop.calls(step, "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t (up, n)", references=references)
    assert [each.parameters for each in found.writes] == [(("parent", "p_1"), ("name", "A"))]
    assert found.refused == 1


def outcome(row: int | None, name: str, status: RowStatus = RowStatus.DONE, **more: object) -> RowOutcome:
    made = RowOutcome(row, key(name), status, "created", f"id_{name}", NOW, f"op_{name}", request="req_1")
    return replace(made, **more)  # type: ignore[arg-type]


def kept(shop: Shop) -> list[tuple[object, ...]]:
    with duckdb.connect(str(shop.mirror), read_only=True) as connection:
        return connection.execute(
            "SELECT number, key, _status, _message, _entity_id, _time, op, type, code, param, request_id, "
            "\"row\" ->> '$.name' FROM weir.outcomes WHERE step = 'a.push' ORDER BY number NULLS LAST"
        ).fetchall()


def test_outcome_of_each_row_is_recorded(shop: Shop) -> None:
    shop.put({"id": "s", "metadata": {"k": "same"}, "name": "Sam"})
    step = export(ExportAction.UPSERT, [by("metadata[k]", "k")], column("metadata[k]", "k"), column("name"))
    sql = (
        "SELECT * FROM (VALUES ('new', 'Ada'), ('same', 'Sam'), ('long', repeat('x', 99)), ('bad', 'Eve'), "
        "('dark', 'Dan')) AS t (k, name)"
    )
    comparison = shop.compare(step, sql)
    failure = Failure(FailureKind.REQUEST, "no", type="card_error", code="c", param="p", request_id="req_9")
    recorded = [
        outcome(0, "new"),
        outcome(3, "bad", RowStatus.FAILED, message="no", entity_id=None, failure=failure),
        outcome(4, "dark", RowStatus.UNKNOWN, message="not known", entity_id=None, request=None),
        outcome(None, "gone", message="retired"),
    ]
    staging = DuckStaging(shop.mirror, CATALOGUE)
    staging.keep_outcomes(comparison.path, "run-1", "a.push", recorded, NOW)
    timestamp = NOW.replace(tzinfo=None)
    nothing = (None, None, None)
    expected = [
        (0, key("new"), "done", "created", "id_new", timestamp, "op_new", *nothing, "req_1", "Ada"),
        (1, key("same"), "unchanged", None, "s", timestamp, None, *nothing, None, "Sam"),
        (
            2,
            key("long"),
            "refused",
            "`name` has more than 20 characters",
            None,
            timestamp,
            None,
            *nothing,
            None,
            "x" * 99,
        ),
        (3, key("bad"), "failed", "no", None, timestamp, "op_bad", "card_error", "c", "p", "req_9", "Eve"),
        (4, key("dark"), "unknown", "not known", None, timestamp, "op_dark", *nothing, None, "Dan"),
        (None, key("gone"), "done", "retired", "id_gone", timestamp, "op_gone", *nothing, "req_1", None),
    ]
    assert kept(shop) == expected
    staging.keep_outcomes(comparison.path, "run-1", "other.step", [], NOW)
    assert kept(shop) == expected, "each step has its own"
    again = shop.compare(step, "SELECT 'same' AS k, 'Sam' AS name")
    staging.keep_outcomes(again.path, "run-2", "a.push", [], NOW)
    assert [row[:3] for row in kept(shop)] == [(0, key("same"), "unchanged")], "those of the last run"


def test_answer_rows_include_the_columns_of_their_call(shop: Shop, tmp_path: Path) -> None:
    shop.put({"id": "x", "amount": 7, "metadata": {"a": "1"}}, {"id": "y"}, {"id": "z", "amount": 9})
    row = Relation((Column("id", TEXT), Column("note", TEXT), Column("n", INTEGER)))
    relation = answer_relation(TABLE.relation, row)
    assert relation.names == (*TABLE.relation.names, "note", "n")
    box = Box("SELECT 1", PLACE, ("stripe",), Bound(relation, ()))
    answer = Import(
        "a.call", "a", "call", "stripe", box, "t", Relation(()), (), None, (), (), "stop", "stop", False, PLACE, ()
    )  # type: ignore[arg-type]  # fmt: skip
    step = call(ID, key=("id",))
    step = replace(step, answer=answer)
    sql = "SELECT * FROM (VALUES ('z', 'last', 1), ('y', 'refused', 2), ('x', 'first', 3)) AS t (id, note, n)"
    result = shop.box(sql)
    comparison = shop.exporter.plan_calls(CallJob(step, tmp_path / "rows.duckdb", {}, {}), result)
    outcomes = [
        outcome(0, "z", entity_id="z"),
        outcome(1, "y", "failure", entity_id="y"),
        outcome(2, "x", entity_id="x"),
    ]
    DuckStaging(shop.mirror, CATALOGUE).keep_outcomes(comparison.path, "run-1", "a.call", outcomes, NOW)
    found = shop.exporter.answers(step, shop.mirror, result, tmp_path / "answers.duckdb")
    assert (found.rows, found.relation) == (2, relation)
    with duckdb.connect(str(found.path), read_only=True) as connection:
        rows = connection.execute("SELECT id, amount, note, n, CAST(metadata['a'] AS VARCHAR) FROM result").fetchall()
    assert rows == [("z", 9, "last", 1, None), ("x", 7, "first", 3, "1")]
    assert VOID.name == step.function
