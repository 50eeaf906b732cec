"""Both box runners show the same changed rows and the same relations of a mirror."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from engine.connector import MIRROR_TABLES, MirrorInstant
from engine.duck.boxes.isolated import IsolatedBoxRunner
from engine.duck.boxes.runner import DuckBoxRunner
from engine.duck.staging.staging import DuckStaging
from engine.duck.types import sql_type
from engine.relation import TEXT
from engine.run import BoxError, BoxRunner
from tests.support.duck.staged import LIMITS, at_minute, box, catalogue, covered, rows, spool

IDS = box("SELECT id FROM changed.charges ORDER BY id", ("id", TEXT))
ALL_IDS = box("SELECT id FROM changed.charges_all ORDER BY id", ("id", TEXT))


@pytest.fixture
def staging(tmp_path: Path) -> DuckStaging:
    (tmp_path / "spool").mkdir()
    return DuckStaging(tmp_path / "stripe.duckdb", catalogue())


@pytest.fixture(params=[DuckBoxRunner, pytest.param(IsolatedBoxRunner, marks=pytest.mark.process)])
def runner(request: pytest.FixtureRequest, staging: DuckStaging) -> BoxRunner:
    made: BoxRunner = request.param(
        {"stripe": staging.path}, {"stripe": catalogue()}, staging.path.with_name("store.duckdb"), {}
    )
    return made


class Bench:
    def __init__(self, runner: BoxRunner, staging: DuckStaging) -> None:
        self.runner, self.staging = runner, staging
        self.folder = staging.path.parent
        self.target = self.folder / "result.duckdb"

    def load(self, minute: int, **amounts: int) -> MirrorInstant:
        page = [{"id": key, "created": 1, "amount": amount} for key, amount in amounts.items()]
        self.staging.load([spool(self.folder / "spool", [page])], [covered(minute)], at_minute(minute))
        found = self.staging.position()
        assert found is not None
        return found

    def ids(self, since: MirrorInstant | None, asked: object = IDS) -> tuple[str, MirrorInstant | None]:
        self.target.unlink(missing_ok=True)
        result = self.runner.run(asked, self.target, LIMITS, since)  # type: ignore[arg-type]
        return "".join(str(key) for (key,) in rows(self.target, "FROM result")), result.seen


@pytest.fixture
def bench(runner: BoxRunner, staging: DuckStaging) -> Bench:
    return Bench(runner, staging)


def test_box_sees_rows_changed_since_and_reports_its_watermark(bench: Bench) -> None:
    first = bench.load(1, a=1, b=1, c=1)
    assert bench.ids(None) == ("abc", first)
    assert bench.ids(first) == ("", first)
    second = bench.load(2, a=1, b=2, d=1)
    assert bench.ids(first) == ("bd", second)
    assert bench.ids(first, ALL_IDS) == ("bcd", second)
    assert bench.ids(second, ALL_IDS) == ("", second)
    third = bench.load(3, a=1, b=2, c=1, d=1)
    assert bench.ids(second) == ("c", third)
    assert bench.ids(None, box("SELECT id FROM charges", ("id", TEXT)))[1] is None


def test_all_rows_count_as_changed_if_the_mirror_does_not_continue(bench: Bench) -> None:
    first = bench.load(1, a=1, b=1)
    assert bench.ids(replace(first, file="another"))[0] == "ab"
    assert bench.ids(replace(first, changed_at=first.changed_at + timedelta(microseconds=1)))[0] == "ab"
    bench.staging.path.unlink()
    assert bench.ids(first) == ("", None)
    second = bench.load(1, a=1, b=1)
    assert bench.ids(first) == ("ab", second)


def test_rows_of_a_mirror_of_an_earlier_version_count_as_changed(bench: Bench) -> None:
    first = bench.load(1, a=1, b=1)
    with duckdb.connect(str(bench.staging.path)) as connection:
        connection.execute("ALTER TABLE charges DROP COLUMN _changed_at")
    assert bench.ids(first) == ("ab", first)
    with duckdb.connect(str(bench.staging.path)) as connection:
        connection.execute("DROP TABLE weir.file")
    assert bench.ids(first) == ("ab", None)


def test_mirror_relations_can_be_queried(bench: Bench) -> None:
    asked = box('SELECT "table" FROM weir.coverage', ("table", TEXT))
    assert bench.ids(None, asked) == ("", None)
    bench.load(1, a=1)
    assert bench.ids(None, asked) == ("charges", None)
    counts = ", ".join(f"(SELECT count(*) FROM {name})" for name in ("weir.drift", "charges", 'weir."FILE"'))
    assert bench.ids(None, box(f"SELECT concat({counts})", ("counts", TEXT)))[0] == "011"


def test_mirror_relation_missing_in_the_file_is_empty(bench: Bench) -> None:
    bench.load(1, a=1)
    with duckdb.connect(str(bench.staging.path)) as connection:
        connection.execute("DROP TABLE weir.gaps; ALTER TABLE weir.coverage DROP COLUMN read_at")
    assert bench.ids(None, box("SELECT account FROM weir.gaps", ("account", TEXT))) == ("", None)
    assert bench.ids(None, box('SELECT "table" FROM weir.coverage WHERE read_at IS NULL', ("t", TEXT)))[0] == "charges"


@pytest.mark.parametrize("sql", ["FROM coverage", "FROM weir.applied_events", "FROM changed.nope", "FROM weir.charges"])
def test_unknown_mirror_relation_is_refused(bench: Bench, sql: str) -> None:
    bench.load(1, a=1)
    with pytest.raises(BoxError, match="no table"):
        bench.ids(None, box(sql, ("id", TEXT)))


@pytest.mark.parametrize("name", sorted(MIRROR_TABLES))
def test_declared_mirror_relations_match_the_file(bench: Bench, name: str) -> None:
    bench.load(1, a=1)
    sql = f"SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'weir' AND table_name = '{name}'"
    found = rows(bench.staging.path, f"{sql} ORDER BY column_index")
    assert found == [(column.name, sql_type(column.type)) for column in MIRROR_TABLES[name]]
