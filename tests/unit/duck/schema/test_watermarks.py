"""Watermarks are committed with the rows of their step and lost with its table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine.connector import MirrorInstant
from engine.duck.schema.watermarks import read_watermarks
from engine.plan import Watermark
from engine.run import StoreError
from tests.support.duck.staged import at_minute
from tests.unit.duck.schema.test_store import Bench

MARK = Watermark("customers.load", "run-1", MirrorInstant("file", at_minute(1)), {"box": "b", "write": "w"})
LATER = replace(MARK, run="run-2", at=MirrorInstant("file", at_minute(2)))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def seen(bench: Bench) -> Watermark | None:
    return bench.store.watermark("customers.load")


def refused(bench: Bench) -> list[Any]:
    return bench.read("SELECT run, key->>'id', problem FROM weir.rejects ORDER BY rowid")


def test_watermark_is_stored_with_the_rows_and_replaced_by_the_next(bench: Bench) -> None:
    assert seen(bench) is None
    bench.apply("upsert", "('a', 'Ada', 1)")
    assert seen(bench) is None
    bench.apply("upsert", "('a', 'Ada', 1)", watermark=MARK)
    assert seen(bench) == MARK
    bench.apply("upsert", "('b', 'Bob', 1)", watermark=LATER, whole=False)
    assert seen(bench) == LATER
    other = replace(MARK, step="customers.other")
    bench.apply("upsert", "('b', 'Bob', 1)", step="customers.other", watermark=other)
    assert read_watermarks(bench.store.path) == {"customers.load": LATER, "customers.other": other}


def test_complete_read_deletes_the_watermark(bench: Bench) -> None:
    bench.apply("upsert", "('a', 'Ada', 1)", watermark=MARK)
    bench.apply("upsert", "('a', 'Eve', 1)")
    assert seen(bench) is None


def test_failed_write_keeps_the_watermark(bench: Bench) -> None:
    bench.apply("upsert", "('a', 'Ada', 1)", watermark=MARK)
    with pytest.raises(StoreError, match="more than one row"):
        bench.apply("upsert", "('b', 'Bob', 1)", "('b', 'Rob', 1)", watermark=LATER)
    assert seen(bench) == MARK


def test_snapshot_that_cannot_be_written_leaves_rows_and_watermark(bench: Bench, tmp_path: Path) -> None:
    bench.apply("upsert", "('a', 'Ada', 1)", watermark=MARK)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="file"):
        bench.apply("upsert", "('b', 'Bob', 1)", watermark=LATER, snapshot=tmp_path / "file" / "customers.parquet")
    assert seen(bench) == MARK
    assert bench.read("SELECT id FROM customers") == [("a",)]


def test_watermark_of_a_missing_table_is_lost(bench: Bench) -> None:
    bench.apply("upsert", "('a', 'Ada', 1)", watermark=MARK)
    with duckdb.connect(str(bench.store.path)) as connection:
        connection.execute("DROP TABLE customers")
    assert seen(bench) == replace(MARK, lost=True)
    # Another step makes the table again, without any rows of this step.
    bench.apply("upsert", "('b', 'Bob', 1)", step="customers.other")
    assert seen(bench) is None


def test_reject_is_kept_until_its_row_is_read_again(bench: Bench) -> None:
    bench.apply("upsert", "('a', 'Ada', 'one')", "('b', 'Bob', 'two')", "('c', 'Cy', '3')", watermark=MARK)
    assert [key for _, key, _ in refused(bench)] == ["a", "b"]
    report = bench.apply(
        "upsert", "('b', 'Bob', '2')", "('d', 'Di', 'four')", watermark=LATER, whole=False, run_id="run-2"
    )
    assert report.rejected == 1
    assert [(run, key) for run, key, _ in refused(bench)] == [("run-1", "a"), ("run-2", "d")]
    bench.apply("upsert", "('e', 'Ed', '5')", watermark=LATER, whole=False, run_id="run-3")
    assert [(run, key) for run, key, _ in refused(bench)] == [("run-1", "a"), ("run-2", "d")]
    bench.apply("upsert", "('e', 'Ed', '5')", watermark=LATER, run_id="run-4")
    assert refused(bench) == []
