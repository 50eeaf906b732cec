"""The Schema's tables: the effect of each action, rejects, and changes of a table's shape."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine.duck.schema.store import DuckTableStore
from engine.graph import Action, MapColumn
from engine.relation import INTEGER, TEXT, Column, ColumnType, Relation
from engine.run import BoxResult, ImportJob, ImportReport, StoreError

CUSTOMERS = Relation(
    (
        Column("id", TEXT, required=True),
        Column("name", TEXT),
        Column("balance", ColumnType.parse("decimal(18,2)")),
    )
)
PLAIN = tuple(MapColumn(name, source=name) for name in CUSTOMERS.names)


def job(action: str = "upsert", **changes: Any) -> ImportJob:
    made = ImportJob(
        run_id="run-1",
        step="customers.load",
        table="customers",
        relation=CUSTOMERS,
        key=("id",),
        action=Action(action),
        match=(("id", "id"),),
        mapping=PLAIN,
        reject_limit=100,
        snapshot=None,
    )
    return replace(made, **changes)


class Bench:
    """A store in a folder, with boxes written as VALUES."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = DuckTableStore(folder / "store.duckdb")
        self.boxes = 0

    def box(self, sql: str) -> BoxResult:
        self.boxes += 1
        path = self.folder / f"box{self.boxes}.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"CREATE TABLE result AS {sql}")
            rows = connection.execute("SELECT count(*) FROM result").fetchall()[0][0]
        return BoxResult(path, Relation(()), rows)

    def rows(self, *values: str, names: str = "id, name, balance") -> BoxResult:
        return self.box(f"SELECT * FROM (VALUES {', '.join(values)}) AS v({names})")

    def apply(self, action: str, *values: str, **changes: Any) -> ImportReport:
        names = changes.pop("names", "id, name, balance")
        return self.store.apply(job(action, **changes), self.rows(*values, names=names))

    def read(self, sql: str = "SELECT id, name, CAST(balance AS VARCHAR) FROM customers ORDER BY id") -> list[Any]:
        with duckdb.connect(str(self.store.path), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return report.inserted, report.updated, report.deleted, report.unchanged, report.rejected


def test_upsert_inserts_new_and_updates_changed_rows(bench: Bench) -> None:
    assert counts(bench.apply("upsert", "('a', 'Ada', 1)", "('b', 'Bob', 2)")) == (2, 0, 0, 0, 0)
    assert counts(bench.apply("upsert", "('a', 'Ada', 1)", "('b', 'Rob', 2)", "('c', NULL, 3)")) == (1, 1, 0, 1, 0)
    assert bench.read() == [("a", "Ada", "1.00"), ("b", "Rob", "2.00"), ("c", None, "3.00")]


def test_insert_keeps_existing_rows_and_rejects_different_ones(bench: Bench) -> None:
    bench.apply("insert", "('a', 'Ada', 1)")
    report = bench.apply("insert", "('a', 'Ada', 1)", "('b', 'Bob', 2)")
    assert counts(report) == (1, 0, 0, 1, 0)
    report = bench.apply("insert", "('a', 'Eve', 1)", "('c', 'Cy', 2)")
    assert counts(report) == (1, 0, 0, 0, 1)
    assert report.rejects[0].problem == "another row with this key is there already"
    assert report.rejects[0].key == {"id": "a"}
    assert [row[:2] for row in bench.read()] == [("a", "Ada"), ("b", "Bob"), ("c", "Cy")]


def test_update_ignores_rows_that_do_not_exist(bench: Bench) -> None:
    bench.apply("insert", "('a', 'Ada', 1)", "('b', 'Bob', 2)")
    assert counts(bench.apply("update", "('a', 'Eve', 1)", "('b', 'Bob', 2)", "('z', 'Zoe', 2)")) == (0, 1, 0, 1, 0)
    assert [row[:2] for row in bench.read()] == [("a", "Eve"), ("b", "Bob")]


def test_delete_takes_keys_only(bench: Bench) -> None:
    bench.apply("insert", "('a', 'Ada', 1)", "('b', 'Bob', 2)")
    report = bench.apply("delete", "('a')", "('a')", "('z')", names="key", match=(("id", "key"),), mapping=())
    assert counts(report) == (0, 0, 1, 0, 0)
    assert [row[0] for row in bench.read()] == ["b"]


def test_replace_leaves_only_the_rows_of_the_box(bench: Bench) -> None:
    bench.apply("insert", "('a', 'Ada', 1)", "('b', 'Bob', 2)", "('c', 'Cy', 2)")
    assert counts(bench.apply("replace", "('a', 'Ada', 1)", "('b', 'Rob', 2)", "('d', 'Di', 2)")) == (1, 1, 1, 1, 0)
    assert [row[:2] for row in bench.read()] == [("a", "Ada"), ("b", "Rob"), ("d", "Di")]


def test_replace_without_a_key_keeps_duplicate_rows(bench: Bench) -> None:
    bench.apply("replace", "('a', 'Ada', 1)", match=(), key=())
    assert counts(bench.apply("replace", "('b', 'x', 1)", "('b', 'x', 1)", match=(), key=())) == (2, 0, 1, 0, 0)
    assert [row[0] for row in bench.read()] == ["b", "b"]


def test_replace_keeps_the_old_row_of_a_rejected_one(bench: Bench) -> None:
    bench.apply("insert", "('a', 'Ada', 1)", "('b', 'Bob', 2)")
    report = bench.apply("replace", "('a', 'Eve', 'one')", "('c', 'Cy', '3')")
    assert counts(report) == (1, 0, 1, 0, 1)
    assert [row[:2] for row in bench.read()] == [("a", "Ada"), ("c", "Cy")]


def test_invalid_rows_are_rejected_with_key_and_reason_and_stored(bench: Bench) -> None:
    report = bench.apply(
        "upsert", "('a', 'Ada', '1.005')", "(NULL, 'Bob', '2')", "('c', 'Cy', 'x')", "('d', 'Di', '4')"
    )
    assert counts(report) == (1, 0, 0, 0, 3)
    assert [(dict(item.key), item.column, item.problem) for item in report.rejects] == [
        ({"id": "a"}, "balance", "`1.005` is not a decimal(18,2)"),
        ({"id": "NULL"}, "id", "is required and has no value"),
        ({"id": "c"}, "balance", "`x` is not a decimal(18,2)"),
    ]
    kept = bench.read("SELECT run, step, table_name, key, column_name, row FROM weir.rejects WHERE column_name = 'id'")
    assert kept[0][:5] == ("run-1", "customers.load", "customers", '{"id":"NULL"}', "id")
    assert json.loads(kept[0][5]) == {"id": None, "name": "Bob", "balance": "2"}
    bench.apply("upsert", "('a', 'Ada', '1')")
    assert bench.read("SELECT count(*) FROM weir.rejects") == [(0,)]


def test_rejects_are_capped_and_counted(bench: Bench) -> None:
    report = bench.apply("upsert", *(f"('{n}', 'x', 'bad')" for n in range(50)), reject_limit=7)
    assert report.rejected == 50
    assert len(report.rejects) == 10
    assert bench.read("SELECT count(*) FROM weir.rejects") == [(7,)]


def test_rejected_row_may_have_columns_of_any_name(bench: Bench) -> None:
    names = "b, number, bad, found, n, key, problem"
    relation = Relation((Column("number", TEXT, True), Column("n", INTEGER)))
    mapping = (MapColumn("number", source="number"), MapColumn("n", source="n"))
    changes: dict[str, Any] = {
        "relation": relation, "key": ("number",), "match": (("number", "number"),), "mapping": mapping, "names": names,
    }  # fmt: skip
    report = bench.apply("upsert", "(1, 'a', 2, 3, 'x', 4, 5)", "(1, 'b', 2, 3, '7', 4, 5)", **changes)
    assert [(reject.key, reject.column) for reject in report.rejects] == [({"number": "a"}, "n")]
    assert report.inserted == 1
    assert bench.read("SELECT CAST(row ->> 'number' AS VARCHAR) FROM weir.rejects") == [("a",)]


def test_table_may_have_columns_of_any_name(bench: Bench) -> None:
    columns = ("row", "target", "bad", "changed", "s", "t", "v0")
    relation = Relation((Column("id", TEXT, True), *(Column(name, INTEGER) for name in columns)))
    mapping = tuple(MapColumn(name, source=name) for name in relation.names)
    changes: dict[str, Any] = {"relation": relation, "mapping": mapping, "names": ", ".join(("id", *columns))}
    for action, start in (("upsert", 0), ("upsert", 10), ("update", 20), ("replace", 30), ("replace", 30)):
        values = tuple(range(start, start + len(columns)))
        bench.apply(action, f"('a', {', '.join(map(str, values))})", **changes)
        assert bench.read("SELECT * FROM customers") == [("a", *values)]


def test_column_named_rowid_is_refused(bench: Bench) -> None:
    with pytest.raises(StoreError, match="`rowid`"):
        bench.apply("upsert", "('a', 'Ada', 1, 1)", names="id, name, visits, RowId")
    relation = Relation((Column("id", TEXT, True), Column("rowid", INTEGER)))
    with pytest.raises(StoreError, match="`rowid`"):
        bench.apply("upsert", "('a', 1)", relation=relation, mapping=(MapColumn("id", source="id"),), names="id, n")


def test_update_without_a_match_is_refused(bench: Bench) -> None:
    with pytest.raises(StoreError) as raised:
        bench.apply("update", "('a', 'Ada', 1)", match=(), key=())
    assert raised.value.code == "E606"


def test_rows_without_a_key_are_rejected_one_by_one(bench: Bench) -> None:
    report = bench.apply("upsert", "(NULL, 'x', 1)", "(NULL, 'y', 2)", "('a', 'Ada', 3)")
    assert (report.inserted, report.rejected) == (1, 2)
    assert [row[0] for row in bench.read()] == ["a"]


def test_duplicate_key_fails_the_step_and_keeps_the_table(bench: Bench) -> None:
    bench.apply("insert", "('a', 'Ada', 1)")
    with pytest.raises(StoreError) as caught:
        bench.apply("upsert", "('b', 'Bob', 1)", "('b', 'Rob', 1)", "('c', 'Cy', 1)")
    assert caught.value.code == "E602"
    assert caught.value.message == "the box returns more than one row for 1 key of `customers` (`id`): 'b' (2 rows)"
    assert [row[0] for row in bench.read()] == ["a"]


def test_key_may_have_several_columns_and_null(bench: Bench) -> None:
    relation = Relation((Column("a", TEXT), Column("b", INTEGER), Column("v", TEXT)))
    mapping = (MapColumn("v", source="v"),)
    changes: dict[str, Any] = {
        "relation": relation, "key": ("a", "b"), "match": (("a", "x"), ("b", "y")), "mapping": mapping,
        "names": "x, y, v",
    }  # fmt: skip
    bench.apply("upsert", "('k', NULL, 'one')", "(NULL, 1, 'two')", "('k', 1, 'three')", **changes)
    report = bench.apply("upsert", "('k', NULL, 'new')", "(NULL, 1, 'two')", "(NULL, NULL, 'four')", **changes)
    assert counts(report) == (1, 1, 0, 1, 0)
    assert bench.read("SELECT v FROM customers ORDER BY v") == [("four",), ("new",), ("three",), ("two",)]


def test_mapping_applies_expression_default_and_skip_if_empty(bench: Bench) -> None:
    mapping = (
        MapColumn("id", source="id"),
        MapColumn("name", expr="upper(name) -- loud", skip_if_empty=True, default="'nobody'"),
        MapColumn("balance", source="balance", default="0"),
    )
    bench.apply("upsert", "('a', 'Ada', 1)", "('b', '', NULL)", mapping=mapping)
    assert bench.read() == [("a", "ADA", "1.00"), ("b", "nobody", "0.00")]
    bench.apply("upsert", "('a', '', 5)", "('b', 'Bob', 2)", mapping=mapping)
    assert bench.read() == [("a", "ADA", "5.00"), ("b", "BOB", "2.00")]


def test_unmapped_columns_keep_their_values(bench: Bench) -> None:
    bench.apply("upsert", "('a', 'Ada', 1)")
    bench.apply("upsert", "('a', 9)", "('b', 9)", names="id, balance", mapping=(PLAIN[0], PLAIN[2]))
    assert bench.read() == [("a", "Ada", "9.00"), ("b", None, "9.00")]


def test_expression_with_amount_reports_unknown_currencies(bench: Bench) -> None:
    mapping = (PLAIN[0], MapColumn("balance", expr="weir.amount(minor, currency)"))
    found = bench.apply("upsert", "('a', 1250, 'usd')", "('b', 7, 'zzz')", names="id, minor, currency", mapping=mapping)
    assert found.unknown == (("zzz", 1),)
    assert bench.read("SELECT id, CAST(balance AS VARCHAR) FROM customers ORDER BY id") == [("a", "12.50"), ("b", None)]


@pytest.mark.parametrize(
    "expression",
    [
        "(SELECT content FROM read_text('{secret}'))",
        "1) AS a, (SELECT 2",
        "1; DROP TABLE result",
        "(SELECT count(*) FROM store.main.customers)",
        "getenv('HOME')",
    ],
)
def test_expression_can_read_only_its_row(bench: Bench, expression: str) -> None:
    secret = bench.folder / "secret.txt"
    secret.write_text("hunter2")
    bench.apply("upsert", "('a', 'Ada', 1)")
    mapping = (PLAIN[0], MapColumn("name", expr=expression.format(secret=secret)))
    with contextlib.suppress(StoreError):
        bench.apply("upsert", "('a', 'Eve', 1)", mapping=mapping)
    assert "hunter2" not in str(bench.read())
    assert bench.read("SELECT count(*) FROM customers") == [(1,)]


def test_added_columns_and_wider_types_keep_the_data(bench: Bench) -> None:
    narrow = Relation((Column("id", TEXT), Column("name", INTEGER)))
    bench.apply("upsert", "('a', 7)", names="id, name", relation=narrow, mapping=PLAIN[:2])
    bench.apply("upsert", "('b', 'Bob', 2)")
    assert bench.read() == [("a", "7", None), ("b", "Bob", "2.00")]


def test_narrower_type_is_refused(bench: Bench) -> None:
    bench.apply("upsert", "('a', 'Ada', 1)")
    narrow = Relation((Column("id", TEXT), Column("name", INTEGER)))
    with pytest.raises(StoreError) as caught:
        bench.apply("upsert", "('a', 7)", names="id, name", relation=narrow, mapping=PLAIN[:2])
    assert caught.value.code == "E603"
    assert bench.read()[0][1] == "Ada"


def test_empty_table_accepts_any_new_shape(bench: Bench) -> None:
    bench.apply("upsert", "('a', 'Ada', 1)")
    bench.apply("delete", "('a')", names="id", mapping=())
    narrow = Relation((Column("id", INTEGER),))
    bench.apply("upsert", "(7)", names="id", relation=narrow, mapping=PLAIN[:1])
    assert bench.read("SELECT * FROM customers") == [(7,)]


def test_removed_column_keeps_its_data_in_the_file(bench: Bench) -> None:
    bench.apply("upsert", "('a', 'Ada', 1)")
    fewer = Relation(CUSTOMERS.columns[:2])
    bench.apply("upsert", "('a', 'Eve')", names="id, name", relation=fewer, mapping=PLAIN[:2])
    bench.apply("replace", "('a', 'Zoe')", names="id, name", relation=fewer, mapping=PLAIN[:2])
    assert bench.read() == [("a", "Zoe", "1.00")]


def test_column_with_null_values_cannot_become_required(bench: Bench) -> None:
    bench.apply("upsert", "('a', NULL, 1)")
    strict = Relation((CUSTOMERS.columns[0], replace(CUSTOMERS.columns[1], required=True), CUSTOMERS.columns[2]))
    with pytest.raises(StoreError) as caught:
        bench.apply("upsert", "('b', 'Bob', 1)", relation=strict)
    assert caught.value.code == "E604"
    assert counts(bench.apply("upsert", "('a', 'Ada', 1)", relation=strict)) == (0, 1, 0, 0, 0)


def test_match_on_another_column_cannot_duplicate_the_key(bench: Bench) -> None:
    bench.apply("upsert", "('a', 'Ada', 1)")
    with pytest.raises(StoreError) as caught:
        bench.apply("upsert", "('a', 'Bob', 1)", match=(("name", "name"),))
    assert caught.value.code == "E602"
    assert bench.read() == [("a", "Ada", "1.00")]


def test_snapshot_is_the_table_after_the_step(bench: Bench) -> None:
    path = bench.folder / "runs" / "1" / "customers.parquet"
    bench.apply("upsert", "('a', 'Ada', 1)")
    bench.apply("upsert", "('b', 'Bob', 1)", snapshot=path)
    assert duckdb.sql(f"SELECT id, name FROM '{path}' ORDER BY id").fetchall() == [("a", "Ada"), ("b", "Bob")]
    assert [item.name for item in path.parent.iterdir()] == ["customers.parquet"]


def test_names_with_sql_in_them_are_quoted(bench: Bench) -> None:
    odd = 'or"der; DROP TABLE x --'
    relation = Relation((Column(odd, TEXT), Column("select", TEXT)))
    result = bench.box(f"SELECT 'a' AS \"{odd.replace(chr(34), chr(34) * 2)}\", 'b' AS \"select\"")
    bench.store.apply(
        job(
            relation=relation, key=(odd,), match=((odd, odd),), table="my 'table\"",
            mapping=(MapColumn(odd, source=odd), MapColumn("select", source="select")),
        ),
        result,
    )  # fmt: skip
    assert bench.read('SELECT * FROM "my \'table"""') == [("a", "b")]


CHILD = """
import sys, time
from pathlib import Path
from tests.unit.duck.schema.test_store import Bench, job
from engine.run import BoxResult
from engine.relation import Relation
bench = Bench(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
bench.store.apply(job(), BoxResult(Path(sys.argv[2]), Relation(()), 0))
print("done", flush=True)
"""


@pytest.mark.process
def test_killed_writer_leaves_the_table_before_or_after_the_step(bench: Bench) -> None:
    first = bench.box("SELECT 'k' || range AS id, 'old' AS name, 1 AS balance FROM range(60000)")
    bench.store.apply(job(), first)
    outcomes = set()
    for attempt in range(8):
        new = f"new{attempt}"
        second = bench.box(f"SELECT 'k' || range AS id, '{new}' AS name, {attempt} AS balance FROM range(60000)")
        before = bench.read("SELECT DISTINCT name FROM customers")
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(bench.folder), str(second.path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[4],
        )  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        child.stdin.write(b"go\n")
        child.stdin.flush()
        time.sleep(0.05 + 0.06 * attempt)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdin.close()
        child.stdout.close()
        after = bench.read("SELECT name, count(*), sum(balance)::BIGINT FROM customers GROUP BY name")
        assert len(after) == 1
        assert after[0][1] == 60000
        assert after[0][0] in {before[0][0], new}
        outcomes.add(after[0][0] == new)
    assert False in outcomes
