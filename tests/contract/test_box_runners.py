"""Both box runners keep the same contract."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from engine.connector import Need, Op, Predicate
from engine.duck.boxes.isolated import IsolatedBoxRunner
from engine.duck.boxes.results import fetch_rows, write_result
from engine.duck.boxes.runner import DuckBoxRunner
from engine.duck.files import writing
from engine.duck.staging.staging import DuckStaging
from engine.graph import TableRead
from engine.relation import INTEGER, JSON, MAP, TEXT, TIMESTAMP, Column, ColumnType, Kind, Relation
from engine.run import BoxError, BoxLimits, BoxRunner
from tests.support.duck.staged import LIMITS, at_minute, box, catalogue, covered, duck_time, rows, spool

SCHEMA = {
    "people": Relation((Column("id", TEXT, True), Column("added_later", INTEGER))),
    "orders": Relation((Column("id", TEXT),)),
    "charges": Relation((Column("only_in_schema", TEXT),)),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "spool").mkdir()
    staging = DuckStaging(folder / "stripe.duckdb", catalogue())
    page = [
        {"id": f"ch_{number}", "created": 1_700_000_000 + number, "amount": number, "metadata": {"n": str(number)}}
        for number in range(5)
    ]
    staging.load([spool(folder / "spool", [page])], [covered(1)], at_minute(1))
    staging.load([spool(folder / "spool", [page[1:]])], [covered(2)], at_minute(2))
    fresh = DuckStaging(folder / "fresh.duckdb", catalogue())
    fresh.load([spool(folder / "spool", [[{"id": "cus_old"}]], "customers")], [], at_minute(1))
    fresh.load([spool(folder / "spool", [[{"id": "cus_new"}]], "customers")], [], at_minute(2))
    page = [{"id": f"ch_{number}", "created": 1, "status": "paid"} for number in range(3)]
    fresh.load([spool(folder / "spool", [page])], [covered(1)], at_minute(1))
    fresh.load([spool(folder / "spool", [page[1:]])], [covered(2)], at_minute(2))
    paid = ((Predicate("status", Op.EQ, ("paid",)),),)
    fresh.load([spool(folder / "spool", [page[2:]])], [covered(3, where=paid)], at_minute(3))
    with duckdb.connect(str(folder / "store.duckdb")) as store:
        store.execute("CREATE TABLE people AS SELECT 'p1' AS id")
    return folder


@pytest.fixture(params=[DuckBoxRunner, pytest.param(IsolatedBoxRunner, marks=pytest.mark.process)])
def runner(request: pytest.FixtureRequest, project: Path) -> Iterator[BoxRunner]:
    files = {"stripe": "stripe", "fresh": "fresh", "other": "never_loaded"}
    stagings = {name: project / f"{file}.duckdb" for name, file in files.items()}
    catalogues = dict.fromkeys(files, catalogue())
    yield request.param(stagings, catalogues, project / "store.duckdb", SCHEMA)
    assert not (project / "never_loaded.duckdb").exists()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "result.duckdb"
    assert {each.name for each in tmp_path.iterdir()} <= {"result.duckdb", "out.csv", "out.json", "out.parquet"}


def test_box_result_has_its_rows_and_types(runner: BoxRunner, target: Path) -> None:
    sql = """
        -- amounts, é
        SELECT id, sum(amount) AS total, min(created) AS first, any_value(metadata) AS metadata,
               {'n': any_value(amount)} AS nested
        FROM charges GROUP BY id ORDER BY id DESC -- last
    """
    big = ColumnType(Kind.DECIMAL, 38, 0)
    made = box(sql, ("id", TEXT), ("total", big), ("first", TIMESTAMP), ("metadata", MAP), ("nested", JSON))
    result = runner.run(made, target, LIMITS)
    assert (result.path, result.rows, result.relation) == (target, 4, made.bound.relation)
    assert rows(target, "FROM result LIMIT 1") == [
        ("ch_4", Decimal(4), duck_time(1_700_000_004), {"n": "4"}, '{"n":4}')
    ]


def test_unknown_currencies_are_reported(runner: BoxRunner, target: Path) -> None:
    sql = """
        SELECT id, weir.amount(amount, CASE WHEN amount < 3 THEN 'ZZZ' ELSE 'jpy' END) AS amount
        FROM charges ORDER BY id
    """
    made = box(sql, ("id", TEXT), ("amount", ColumnType(Kind.DECIMAL, 23, 3)))
    result = runner.run(made, target, LIMITS)
    assert result.unknown == (("zzz", 2),)
    assert rows(target, "SELECT amount FROM result") == [(None,), (None,), (Decimal(3),), (Decimal(4),)]
    target.unlink()
    transform = box("SELECT weir.amount(5, 'usd')", ("amount", ColumnType(Kind.DECIMAL, 14, 3)), scope=("schema",))
    assert runner.run(transform, target, LIMITS).unknown == ()
    assert rows(target, "FROM result") == [(Decimal("0.05"),)]


def test_table_names_are_resolved_in_order_of_the_scope(runner: BoxRunner, target: Path) -> None:
    sql = """
        SELECT (SELECT count(*) FROM charges), (SELECT count(*) FROM charges_all), (SELECT count(*) FROM customers),
               (SELECT count(*) FROM stripe.Charges_all), (SELECT count(*) FROM schema.people),
               (SELECT count(*) FROM orders), (SELECT count(only_in_schema) FROM schema.charges)
    """
    columns = [(f"c{number}", INTEGER) for number in range(7)]
    runner.run(box(sql, *columns), target, LIMITS)
    assert rows(target, "FROM result") == [(4, 5, 0, 5, 1, 0, 0)]


def test_hidden_rows_are_in_no_view(runner: BoxRunner, target: Path) -> None:
    sql = "SELECT (SELECT count(*) FROM charges), (SELECT count(*) FROM charges_all)"
    made = box(sql, ("live", INTEGER), ("known", INTEGER), scope=("fresh", "schema"))
    runner.run(made, target, LIMITS)
    assert rows(target, "FROM result") == [(1, 2)]


def test_box_with_a_limit_sees_only_rows_of_the_latest_read(runner: BoxRunner, target: Path) -> None:
    sql = "SELECT id FROM fresh.customers LIMIT 3"
    whole = box(sql, ("id", TEXT), scope=("fresh", "schema"))
    assert runner.run(whole, target, LIMITS).rows == 2
    target.unlink()
    limited = replace(
        whole, bound=replace(whole.bound, reads=(TableRead("fresh", Need("customers", ("id",), limit=3)),))
    )
    assert runner.run(limited, target, LIMITS).rows == 1
    assert rows(target, "FROM result") == [("cus_new",)]


def test_schema_table_has_declared_columns_that_its_file_lacks(runner: BoxRunner, target: Path) -> None:
    runner.run(box("FROM people", ("id", TEXT), ("added_later", INTEGER), scope=("schema",)), target, LIMITS)
    assert rows(target, "FROM result") == [("p1", None)]


def test_connection_that_was_never_loaded_is_empty(runner: BoxRunner, target: Path) -> None:
    made = box("SELECT id, metadata FROM other.charges", ("id", TEXT), ("metadata", MAP), scope=("other", "schema"))
    assert runner.run(made, target, LIMITS).rows == 0


@pytest.mark.parametrize("sql", ["SELECT * FROM stripe.charges", "SELECT * FROM weir.coverage", "SELECT * FROM result"])
def test_table_outside_the_scope_is_unknown(runner: BoxRunner, target: Path, sql: str) -> None:
    with pytest.raises(BoxError, match="no table"):
        runner.run(box(sql, ("id", TEXT), scope=("schema",)), target, LIMITS)
    assert not target.exists()


def test_failed_box_leaves_no_result_file(runner: BoxRunner, target: Path) -> None:
    sql = "SELECT CASE WHEN range > 100000 THEN error('stop here') ELSE range END FROM range(200000)"
    with pytest.raises(BoxError, match="stop here") as raised:
        runner.run(box(sql, ("n", INTEGER)), target, LIMITS)
    assert raised.value.limit is None
    assert not target.exists()


def test_box_error_has_its_span_in_code_points(runner: BoxRunner, target: Path) -> None:
    sql = "SELECT 'äöü🦆' AS é, n FROM nope"
    with pytest.raises(BoxError) as raised:
        runner.run(box(sql, ("a", TEXT), ("b", TEXT)), target, LIMITS)
    assert raised.value.span is not None
    start, end = raised.value.span
    assert sql[start:end] == "nope"


def test_exceeded_limit_is_named(runner: BoxRunner, target: Path) -> None:
    quick = BoxLimits(LIMITS.memory_bytes, 0.5, 1, LIMITS.temp_bytes)
    with pytest.raises(BoxError) as raised:
        runner.run(box("SELECT count(*) FROM range(1e13::BIGINT)", ("n", INTEGER)), target, quick)
    assert raised.value.limit == "seconds"
    small = BoxLimits(64 << 20, 10, 1, 1 << 20)
    sql = "SELECT md5(range::VARCHAR) AS m FROM range(3000000) ORDER BY m"
    with pytest.raises(BoxError) as raised:
        runner.run(box(sql, ("m", TEXT)), target, small)
    assert raised.value.limit == "temp"


def test_damaged_file_is_reported(runner: BoxRunner, target: Path, project: Path) -> None:
    damaged = project / "never_loaded.duckdb"
    damaged.write_bytes(b"no database" * 5000)
    try:
        with pytest.raises(BoxError, match="cannot be read"):
            runner.run(box("SELECT id FROM other.charges", ("id", TEXT), scope=("other",)), target, LIMITS)
    finally:
        damaged.unlink()


def test_wait_for_a_writer_does_not_count_as_time_of_the_box(runner: BoxRunner, target: Path, project: Path) -> None:
    quick = BoxLimits(LIMITS.memory_bytes, 1.0, 1, LIMITS.temp_bytes)
    done = threading.Event()

    def write() -> None:
        with writing(project / "stripe.duckdb"):
            done.wait(1.5)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert runner.run(box("SELECT id FROM charges", ("id", TEXT)), target, quick).rows == 4
    finally:
        done.set()
        writer.join()


def test_results_can_be_fetched_and_exported(runner: BoxRunner, target: Path, tmp_path: Path) -> None:
    sql = "SELECT id, created FROM charges ORDER BY id"
    result = runner.run(box(sql, ("id", TEXT), ("created", TIMESTAMP)), target, LIMITS)
    assert [key for key, _ in fetch_rows(result, 3)] == ["ch_1", "ch_2", "ch_3"]
    assert fetch_rows(result, 1) == [("ch_1", duck_time(1_700_000_001))]
    for kind in ("csv", "json", "parquet"):
        write_result(result, tmp_path / f"out.{kind}", kind)
    assert (tmp_path / "out.csv").read_text().splitlines()[:2] == ["id,created", "ch_1,2023-11-14 22:13:21"]
    assert (tmp_path / "out.json").read_text().splitlines()[3].startswith('{"id":"ch_4","created":"2023-11-14')
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT count(*) FROM '{tmp_path / 'out.parquet'}'").fetchall()
    assert found == [(4,)]


def test_wide_result_stays_within_bounded_memory(runner: BoxRunner, target: Path) -> None:
    sql = "SELECT repeat(md5(range::VARCHAR), 100) AS wide FROM range(60000)"
    assert runner.run(box(sql, ("wide", TEXT)), target, LIMITS).rows == 60_000


def test_box_error_has_a_plain_reason(runner: BoxRunner, target: Path) -> None:
    with pytest.raises(BoxError) as failed:
        runner.run(box("SELECT CAST(id AS INTEGER) AS n FROM charges", ("n", INTEGER)), target, LIMITS)
    assert failed.value.reason.startswith("could not convert string 'ch_")


@pytest.mark.parametrize("kind", [DuckBoxRunner, pytest.param(IsolatedBoxRunner, marks=pytest.mark.process)])
def test_box_stops_when_its_run_is_cancelled(kind: type[DuckBoxRunner | IsolatedBoxRunner], target: Path) -> None:
    asked = threading.Event()
    runner = kind({}, {}, target.with_name("store.duckdb"), {}, cancelled=asked.is_set)
    sql = "SELECT count(*) AS n FROM range(1000000000) AS a, range(100000) AS b"
    long = replace(box(sql, ("n", INTEGER)), scope=())
    threading.Timer(0.5, asked.set).start()
    begun = time.monotonic()
    with pytest.raises(BoxError, match="the box was stopped") as stopped:
        runner.run(long, target, replace(LIMITS, seconds=60))
    assert stopped.value.limit is None
    assert time.monotonic() - begun < 20
    assert not target.exists()


def test_child_process_accepts_a_box_of_any_size(target: Path) -> None:
    """More than a pipe holds, while the parent checks whether the run was stopped."""
    runner = IsolatedBoxRunner({}, {}, target.with_name("store.duckdb"), {}, cancelled=lambda: False)
    sql = f"SELECT length('{'x' * 200_000}') AS n"
    result = runner.run(replace(box(sql, ("n", INTEGER)), scope=()), target, LIMITS)
    assert fetch_rows(result, 1) == [(200_000,)]
