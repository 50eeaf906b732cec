"""What every `TableStore` does with rows. Subclass `TableStoreSuite` in a test module and define `make`."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engine.graph import MapColumn
from engine.relation import INTEGER, TEXT, Column, Relation
from engine.run import StoreError

from .table_store_bench import (
    BALANCE,
    CUSTOMERS,
    ID,
    NAME,
    VISITS,
    TableStoreBench,
    apply,
    counts,
    job,
    refused,
    table,
)
from .table_store_model import DuplicateKeyError, TableModel, random_boxes

PAIRS = Relation((Column("a", TEXT), Column("b", INTEGER), Column("value", TEXT)))


class TableStoreSuite:
    """The rules of actions, rejects and columns, each as a test."""

    def make(self, directory: Path) -> TableStoreBench:
        """A store whose data live in `directory`."""
        raise NotImplementedError

    @pytest.fixture
    def bench(self, tmp_path: Path) -> TableStoreBench:
        """A store without any table."""
        return self.make(tmp_path)

    # Actions

    def test_insert_adds_new_rows_and_refuses_different_ones(self, bench: TableStoreBench) -> None:
        apply(bench, job("insert"), ("a", "Ada", "1"))
        report = apply(bench, job("insert"), ("a", "Ada", "1"), ("b", "Bob", "2"))
        assert counts(report) == (1, 0, 0, 1, 0)
        report = apply(bench, job("insert"), ("a", "Eve", "1"), ("c", "Cy", None))
        assert counts(report) == (1, 0, 0, 0, 1)
        assert (report.rejects[0].key, report.rejects[0].column) == ({"id": "a"}, "id")
        assert table(bench) == [("a", "Ada", 1), ("b", "Bob", 2), ("c", "Cy", None)]

    def test_update_changes_present_rows_only(self, bench: TableStoreBench) -> None:
        apply(bench, job("insert"), ("a", "Ada", "1"), ("b", "Bob", "2"))
        report = apply(bench, job("update"), ("a", "Eve", "1"), ("b", "Bob", "2"), ("z", "Zoe", "3"))
        assert counts(report) == (0, 1, 0, 1, 0)
        assert table(bench) == [("a", "Eve", 1), ("b", "Bob", 2)]

    def test_delete_removes_the_rows_of_its_keys(self, bench: TableStoreBench) -> None:
        apply(bench, job("insert"), ("a", "Ada", "1"), ("b", "Bob", "2"))
        made = job("delete", match=(("id", "key"),))
        assert counts(apply(bench, made, ("a",), ("a",), ("z",), (None,), names=["key"])) == (0, 0, 1, 0, 0)
        assert table(bench) == [("b", "Bob", 2)]

    def test_upsert_adds_and_changes(self, bench: TableStoreBench) -> None:
        apply(bench, job("upsert"), ("a", "Ada", "1"), ("b", "Bob", "2"))
        report = apply(bench, job("upsert"), ("a", "Ada", "1"), ("b", "Rob", None), ("c", "Cy", "3"))
        assert counts(report) == (1, 1, 0, 1, 0)
        assert report.read == 3
        assert table(bench) == [("a", "Ada", 1), ("b", "Rob", None), ("c", "Cy", 3)]

    def test_replace_leaves_the_rows_of_the_box_only(self, bench: TableStoreBench) -> None:
        apply(bench, job("insert"), ("a", "Ada", "1"), ("b", "Bob", "2"), ("c", "Cy", "3"))
        report = apply(bench, job("replace"), ("a", "Ada", "1"), ("b", "Rob", "2"), ("d", "Di", "4"))
        assert counts(report) == (1, 1, 1, 1, 0)
        assert table(bench) == [("a", "Ada", 1), ("b", "Rob", 2), ("d", "Di", 4)]

    def test_replace_keeps_the_present_row_of_a_refused_one(self, bench: TableStoreBench) -> None:
        apply(bench, job("insert"), ("a", "Ada", "1"), ("b", "Bob", "2"))
        report = apply(bench, job("replace"), ("a", "Eve", "many"), ("c", "Cy", "3"))
        assert counts(report) == (1, 0, 1, 0, 1)
        assert table(bench) == [("a", "Ada", 1), ("c", "Cy", 3)]

    @pytest.mark.parametrize("action", ["insert", "replace"])
    def test_a_table_without_a_key_takes_every_row(self, bench: TableStoreBench, action: str) -> None:
        made = job(action, key=(), match=())
        apply(bench, made, ("a", "Ada", "1"))
        report = apply(bench, made, ("b", "Bob", "1"), ("b", "Bob", "1"))
        kept = [("a", "Ada", 1)] if action == "insert" else []
        assert counts(report) == (2, 0, 1 - len(kept), 0, 0)
        assert table(bench) == [*kept, ("b", "Bob", 1), ("b", "Bob", 1)]

    @pytest.mark.parametrize("seed", range(12))
    def test_any_sequence_of_steps_ends_as_in_the_model(self, bench: TableStoreBench, seed: int) -> None:
        model = TableModel()
        for number, (action, box) in enumerate(random_boxes(seed, 8)):
            made = job(action, run_id=f"run-{number}")
            before = dict(model.rows)
            try:
                change = model.apply(action, box)
            except DuplicateKeyError:
                with pytest.raises(StoreError, match="more than one row"):
                    apply(bench, made, *box)
                assert model.rows == before
            else:
                report = apply(bench, made, *box)
                assert counts(report) == change.counts, (number, action, box)
                assert [(reject.key["id"], reject.column) for reject in report.rejects] == change.rejects
                expected = [(f"run-{number}", {"id": key}, column) for key, column in change.rejects]
                assert refused(bench) == expected
            assert table(bench) == sorted(((key, *values) for key, values in model.rows.items()), key=repr)

    # Keys

    @pytest.mark.parametrize("action", ["insert", "update", "upsert", "replace"])
    def test_a_duplicate_key_fails_the_step_and_changes_nothing(self, bench: TableStoreBench, action: str) -> None:
        apply(bench, job(), ("a", "Ada", "1"), ("x", "Xi", "many"))
        with pytest.raises(StoreError) as caught:
            apply(bench, job(action, run_id="run-2"), ("a", "Eve", "1"), ("a", "Eva", "1"), ("c", "Cy", "1"))
        assert caught.value.code == "E602"
        assert "'a' (2 rows)" in caught.value.message
        assert table(bench) == [("a", "Ada", 1)]
        assert refused(bench) == [("run-1", {"id": "x"}, "visits")]

    @pytest.mark.parametrize("action", ["update", "delete", "upsert"])
    def test_an_action_that_matches_rows_needs_a_match(self, bench: TableStoreBench, action: str) -> None:
        with pytest.raises(StoreError) as caught:
            apply(bench, job(action, key=(), match=()), ("a", "Ada", "1"))
        assert caught.value.code == "E606"
        assert table(bench) == []

    def test_matching_by_another_column_cannot_duplicate_the_key(self, bench: TableStoreBench) -> None:
        apply(bench, job(), ("a", "Ada", "1"))
        with pytest.raises(StoreError) as caught:
            apply(bench, job(match=(("name", "name"),)), ("a", "Bob", "1"))
        assert caught.value.code == "E602"
        assert table(bench) == [("a", "Ada", 1)]

    def test_null_is_a_value_of_a_key_that_is_not_required(self, bench: TableStoreBench) -> None:
        made = job(relation=PAIRS, key=("a", "b"), match=(("a", "a"), ("b", "b")))
        apply(bench, made, ("k", None, "one"), (None, "1", "two"), ("k", "1", "three"))
        report = apply(bench, made, ("k", None, "new"), (None, "1", "two"), (None, None, "four"))
        assert counts(report) == (1, 1, 0, 1, 0)
        assert sorted(str(row[2]) for row in table(bench, PAIRS)) == ["four", "new", "three", "two"]
        with pytest.raises(StoreError, match="more than one row"):
            apply(bench, made, ("k", None, "x"), ("k", None, "y"))

    def test_rows_without_a_required_key_are_refused_one_by_one(self, bench: TableStoreBench) -> None:
        report = apply(bench, job(), (None, "Ada", "1"), (None, "Bob", "2"), ("c", "Cy", "3"))
        assert counts(report) == (1, 0, 0, 0, 2)
        assert table(bench) == [("c", "Cy", 3)]

    # Rejects

    def test_a_reject_has_key_column_problem_and_row(self, bench: TableStoreBench) -> None:
        report = apply(bench, job(), ("a", "Ada", "many"), (None, "Bob", "2"), ("c", None, "3"), ("d", "Di", "4"))
        assert counts(report) == (1, 0, 0, 0, 3)
        missing = "is required and has no value"
        assert [(reject.key, reject.column, reject.problem) for reject in report.rejects] == [
            ({"id": "a"}, "visits", "`many` is not an integer of 64 bits"),
            ({"id": "NULL"}, "id", missing),
            ({"id": "c"}, "name", missing),
        ]
        kept = bench.rejects()
        assert [(each.run, each.step, each.table) for each in kept] == [("run-1", "customers.load", "customers")] * 3
        assert [(each.key, each.column, each.problem) for each in kept] == [
            (reject.key, reject.column, reject.problem) for reject in report.rejects
        ]
        assert kept[1].row == {"id": None, "name": "Bob", "visits": "2"}

    def test_rejects_are_those_of_the_newest_run_of_each_step(self, bench: TableStoreBench) -> None:
        apply(bench, job(), ("a", "Ada", "many"))
        apply(bench, job(step="customers.other"), ("b", "Bob", "few"))
        apply(bench, job(run_id="run-2"), ("c", "Cy", "some"))
        assert sorted(refused(bench), key=repr) == [("run-1", {"id": "b"}, "visits"), ("run-2", {"id": "c"}, "visits")]

    def test_rejects_are_limited_and_counted(self, bench: TableStoreBench) -> None:
        report = apply(bench, job(reject_limit=7), *((f"{number}", "x", "many") for number in range(50)))
        assert report.rejected == 50
        assert 0 < len(report.rejects) <= 50
        assert len(bench.rejects()) == 7

    def test_a_step_of_changed_rows_keeps_other_rejects(self, bench: TableStoreBench) -> None:
        apply(bench, job(), ("a", "Ada", "many"), ("b", "Bob", "few"), ("c", "Cy", "3"))
        changed = job(run_id="run-2", whole=False)
        assert apply(bench, changed, ("b", "Bob", "2"), ("d", "Di", "some")).rejected == 1
        assert refused(bench) == [("run-1", {"id": "a"}, "visits"), ("run-2", {"id": "d"}, "visits")]
        apply(bench, job(run_id="run-3"), ("e", "Ed", "5"))
        assert refused(bench) == []

    # Mapping

    def test_defaults_fill_and_skipped_values_keep(self, bench: TableStoreBench) -> None:
        mapping = (
            MapColumn("id", source="id"),
            MapColumn("name", source="name", skip_if_empty=True, default="'nobody'"),
            MapColumn("visits", source="visits", default="0"),
        )
        apply(bench, job(mapping=mapping), ("a", "Ada", "1"), ("b", "", None))
        assert table(bench) == [("a", "Ada", 1), ("b", "nobody", 0)]
        apply(bench, job(mapping=mapping), ("a", "", "5"), ("b", "Bob", "2"))
        assert table(bench) == [("a", "Ada", 5), ("b", "Bob", 2)]

    def test_an_expression_computes_a_value_of_its_row(self, bench: TableStoreBench) -> None:
        mapping = (MapColumn("id", source="id"), MapColumn("name", expr="upper(name) || visits"))
        apply(bench, job(mapping=mapping), ("a", "Ada", "1"))
        assert table(bench) == [("a", "ADA1", None)]

    def test_columns_outside_the_mapping_keep_their_values(self, bench: TableStoreBench) -> None:
        apply(bench, job(), ("a", "Ada", "1"))
        mapping = (MapColumn("id", source="id"), MapColumn("name", source="name"))
        report = apply(bench, job(mapping=mapping), ("a", "Eve"), ("b", "Bob"), names=["id", "name"])
        assert counts(report) == (1, 1, 0, 0, 0)
        assert table(bench) == [("a", "Eve", 1), ("b", "Bob", None)]

    def test_an_unknown_column_fails_the_step(self, bench: TableStoreBench) -> None:
        with pytest.raises(StoreError) as caught:
            apply(bench, job(), ("a", "Ada"), names=["id", "name"])
        assert caught.value.code == "E605"
        assert table(bench) == []

    def test_any_name_is_only_a_name(self, bench: TableStoreBench) -> None:
        odd, name = 'or"der; DROP TABLE x --', "my 'table\""
        relation = Relation((Column(odd, TEXT), Column("select", TEXT)))
        made = job(relation=relation, key=(odd,), match=((odd, odd),), table=name)
        apply(bench, made, ("a", "one"), ("b", "two"))
        apply(bench, made, ("a", "three"))
        assert sorted(bench.read(name, relation), key=repr) == [("a", "three"), ("b", "two")]

    # Columns

    def test_a_new_column_and_a_wider_type_keep_the_values(self, bench: TableStoreBench) -> None:
        apply(bench, job(), ("a", "Ada", "7"))
        wider = Relation((ID, NAME, replace(VISITS, type=TEXT), BALANCE))
        apply(bench, job(relation=wider), ("b", "Bob", "often", "2"))
        assert table(bench, wider) == [("a", "Ada", "7", None), ("b", "Bob", "often", Decimal("2.00"))]

    def test_a_narrower_type_fails_the_step(self, bench: TableStoreBench) -> None:
        apply(bench, job(), ("a", "Ada", "1"))
        narrower = Relation((ID, replace(NAME, type=INTEGER), VISITS))
        with pytest.raises(StoreError) as caught:
            apply(bench, job(relation=narrower), ("a", "7", "2"))
        assert caught.value.code == "E603"
        assert table(bench) == [("a", "Ada", 1)]

    def test_an_empty_table_takes_any_columns(self, bench: TableStoreBench) -> None:
        apply(bench, job(), ("a", "Ada", "1"))
        apply(bench, job("delete"), ("a", None, None))
        other = Relation((Column("id", INTEGER, required=True), BALANCE))
        apply(bench, job(relation=other), ("7", "1.5"))
        assert table(bench, other) == [(7, Decimal("1.50"))]

    def test_a_removed_column_finds_its_values_when_it_returns(self, bench: TableStoreBench) -> None:
        apply(bench, job(), ("a", "Ada", "1"), ("b", "Bob", "2"))
        fewer = Relation((ID, NAME))
        apply(bench, job(relation=fewer), ("a", "Eve"))
        apply(bench, job("replace", relation=fewer), ("a", "Zoe"))
        assert table(bench, fewer) == [("a", "Zoe")]
        assert table(bench) == [("a", "Zoe", 1)]

    def test_a_column_cannot_become_required_while_rows_lack_it(self, bench: TableStoreBench) -> None:
        apply(bench, job(), ("a", "Ada", None))
        strict = Relation((ID, NAME, replace(VISITS, required=True)))
        with pytest.raises(StoreError) as caught:
            apply(bench, job(relation=strict), ("b", "Bob", "1"))
        assert caught.value.code == "E604"
        assert table(bench) == [("a", "Ada", None)]
        assert counts(apply(bench, job(relation=strict), ("a", "Ada", "1"))) == (0, 1, 0, 0, 0)

    def test_the_columns_of_a_reader_are_those_of_its_relation(self, bench: TableStoreBench) -> None:
        apply(bench, job(), ("a", "Ada", "1"))
        assert bench.read("customers", Relation((VISITS, ID))) == [(1, "a")]
        assert bench.read("orders", CUSTOMERS) == []
