"""What every `TableStore` guarantees about transactions. Subclass `TableStoreDurabilitySuite` in a test module and
define `make`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from engine.relation import TEXT, Column, Relation
from engine.run import BoxResult, ImportJob, StoreError

from .table_store_bench import (
    BALANCE,
    CUSTOMERS,
    ID,
    LATER,
    MARK,
    NAME,
    STEP,
    VISITS,
    ConnectionLostError,
    Row,
    TableStoreBench,
    apply,
    counts,
    job,
    refused,
    table,
)

WIDER = Relation((ID, NAME, replace(VISITS, type=TEXT), BALANCE, Column("note", TEXT)))
BEFORE = [("a", "Ada", "1"), ("b", "Bob", "2"), ("c", "Cy", "3"), ("x", "Xi", "many")]
AFTER = [("a", "Ada", "1", "1.00", None), ("b", "Rob", "2", None, "new"), ("y", "Yan", "5", "much", None)]
FILLED = job(watermark=MARK)
ACTIONS = ["insert", "update", "delete", "upsert", "replace"]


class TableStoreDurabilitySuite:
    """The rules of watermarks, snapshots, readers and crashes, each as a test."""

    def make(self, directory: Path) -> TableStoreBench:
        """A store whose data live in `directory`."""
        raise NotImplementedError

    @pytest.fixture
    def bench(self, tmp_path: Path) -> TableStoreBench:
        """A store without any table."""
        return self.make(tmp_path)

    def filled(self, directory: Path) -> TableStoreBench:
        """A store with three rows, one reject and a watermark."""
        bench = self.make(directory)
        apply(bench, FILLED, *BEFORE)
        return bench

    # Watermarks

    def test_a_watermark_is_kept_with_the_rows(self, bench: TableStoreBench) -> None:
        assert bench.store.watermark(STEP) is None
        apply(bench, job(), ("a", "Ada", "1"))
        assert bench.store.watermark(STEP) is None
        apply(bench, job(watermark=MARK), ("a", "Ada", "1"))
        assert bench.store.watermark(STEP) == MARK
        apply(bench, job(watermark=LATER, whole=False), ("b", "Bob", "1"))
        bench.restart()
        assert bench.store.watermark(STEP) == LATER
        assert table(bench) == [("a", "Ada", 1), ("b", "Bob", 1)]

    def test_each_step_has_a_watermark_of_its_own(self, bench: TableStoreBench) -> None:
        other = replace(LATER, step="customers.other")
        apply(bench, job(watermark=MARK), ("a", "Ada", "1"))
        apply(bench, job(step=other.step, watermark=other), ("b", "Bob", "1"))
        assert (bench.store.watermark(STEP), bench.store.watermark(other.step)) == (MARK, other)

    def test_a_step_that_reads_all_rows_drops_its_watermark(self, bench: TableStoreBench) -> None:
        apply(bench, job(watermark=MARK), ("a", "Ada", "1"))
        apply(bench, job(), ("a", "Eve", "1"))
        assert bench.store.watermark(STEP) is None

    def test_the_watermark_of_a_dropped_table_is_lost(self, bench: TableStoreBench) -> None:
        apply(bench, job(watermark=MARK), ("a", "Ada", "1"))
        bench.drop("customers")
        assert bench.store.watermark(STEP) == replace(MARK, lost=True)
        apply(bench, job(step="customers.other"), ("b", "Bob", "1"))
        assert bench.store.watermark(STEP) is None

    def test_a_failed_step_changes_nothing(self, tmp_path: Path) -> None:
        bench = self.filled(tmp_path)
        before = _state(bench)
        snapshot = tmp_path / "snapshots" / "customers.parquet"
        failing = job(run_id="run-2", watermark=LATER, snapshot=snapshot)
        with pytest.raises(StoreError):
            apply(bench, failing, ("a", "Eve", "1"), ("a", "Eva", "1"), ("y", "Yan", "many"))
        bench.restart()
        assert _state(bench) == before
        assert not snapshot.exists()

    # Snapshots

    @pytest.mark.parametrize("action", ACTIONS)
    def test_a_snapshot_has_the_rows_after_the_step(self, tmp_path: Path, action: str) -> None:
        bench = self.filled(tmp_path)
        snapshot = tmp_path / "snapshots" / "deep" / "customers.parquet"
        apply(bench, job(action, snapshot=snapshot), ("a", "Eve", "1"), ("z", "Zoe", "3"))
        found = sorted(bench.read_snapshot(snapshot, CUSTOMERS), key=repr)
        assert found == table(bench)
        assert found
        assert [item.name for item in snapshot.parent.iterdir()] == [snapshot.name]

    def test_a_snapshot_hides_removed_columns(self, tmp_path: Path) -> None:
        bench = self.filled(tmp_path)
        snapshot, fewer = tmp_path / "customers.parquet", Relation((ID, NAME))
        apply(bench, job("replace", relation=fewer, snapshot=snapshot), ("a", "Ada"))
        assert bench.read_snapshot(snapshot, fewer) == [("a", "Ada")]

    # Readers and writers at the same time

    @pytest.mark.parametrize("action", ["upsert", "replace", "delete"])
    def test_a_reader_sees_all_of_a_step_or_nothing(self, tmp_path: Path, action: str) -> None:
        bench = self.filled(tmp_path)
        before = table(bench)
        reads: list[Future[list[tuple[object, ...]]]] = []
        with ThreadPoolExecutor(4) as pool:
            with bench.observe(lambda _: reads.append(pool.submit(table, bench))):
                apply(bench, job(action), ("a", "Eve", "9"), ("b", "Rob", "9"), ("z", "Zoe", "9"))
            found = [read.result() for read in reads]
        after = table(bench)
        assert before != after
        assert len(found) > 3
        assert [each for each in found if each not in (before, after)] == []

    def test_writers_wait_for_each_other(self, tmp_path: Path) -> None:
        bench = self.filled(tmp_path)
        results = [bench.result(CUSTOMERS.names, [(f"n{number}", "x", "1")]) for number in range(8)]
        made = [job(step=f"customers.step{number}") for number in range(8)]
        with ThreadPoolExecutor(4) as pool:
            reports = list(pool.map(lambda number: bench.store.apply(made[number], results[number]), range(8)))
        assert [counts(report) for report in reports] == [(1, 0, 0, 0, 0)] * 8
        assert len(table(bench)) == 3 + 8

    # Crashes

    @pytest.mark.parametrize("action", ACTIONS)
    def test_a_crash_before_any_statement_leaves_all_or_nothing(self, tmp_path: Path, action: str) -> None:
        made = job(action, relation=WIDER, run_id="run-2", watermark=LATER)
        if action == "delete":
            self._crash_everywhere(tmp_path, made, ["id"], [("a",), ("b",)])
        else:
            self._crash_everywhere(tmp_path, made, WIDER.names, AFTER)

    def test_the_lost_answer_of_any_statement_leaves_all_or_nothing(self, tmp_path: Path) -> None:
        made = job(relation=WIDER, run_id="run-2", watermark=LATER)
        self._crash_everywhere(tmp_path, made, WIDER.names, AFTER, first=1)

    def test_a_crash_while_the_first_table_is_made_leaves_all_or_nothing(self, tmp_path: Path) -> None:
        made = job(step="orders.load", table="orders", relation=WIDER, watermark=LATER)
        self._crash_everywhere(tmp_path, made, WIDER.names, AFTER)

    def _crash_everywhere(
        self, directory: Path, made: ImportJob, names: Sequence[str], rows: Sequence[Row], first: int = 0
    ) -> None:
        """Lose the connection before each statement in turn (`first=1`: after it): the state is that before the step or
        after it, never between."""
        complete = self.filled(directory / "complete")
        before = _state(complete, made)
        apply(complete, made, *rows, names=names)
        after = _state(complete, made)
        assert before != after
        outcomes: list[bool] = []
        is_complete = False
        while not is_complete:
            folder = directory / f"{len(outcomes)}"
            bench, snapshot = self.filled(folder), folder / "snapshot.parquet"
            result = bench.result(names, rows)
            state = before
            while state == before and not is_complete:
                crash = _CrashAt(first + 2 * len(outcomes))
                with bench.observe(crash):
                    error = _error_of(bench, replace(made, snapshot=snapshot), result)
                is_complete = not crash.happened
                assert error is None or not is_complete
                bench.restart()
                state = _state(bench, made)
                assert state in (before, after), f"at point {crash.point}"
                outcomes.append(state == after)
                if snapshot.exists():
                    assert state == after
                    assert sorted(bench.read_snapshot(snapshot, WIDER), key=repr) == state[0]
        assert outcomes == sorted(outcomes), "a crash before the commit leaves nothing, one after it all"
        assert outcomes[0] is False
        assert outcomes[-1] is True

    @pytest.mark.parametrize("action", ACTIONS)
    def test_a_step_repeated_after_a_lost_answer_changes_nothing(self, tmp_path: Path, action: str) -> None:
        bench = self.filled(tmp_path)
        rows = [("a",)] if action == "delete" else [("a", "Ada", "1"), ("b", "Bob", "2"), ("z", "Zoe", "3")]
        names = CUSTOMERS.names[: len(rows[0])]
        apply(bench, job(action), *rows, names=names)
        after = _state(bench)
        inserted, updated, deleted, _, rejected = counts(apply(bench, job(action), *rows, names=names))
        assert (inserted, updated, deleted, rejected) == (0, 0, 0, 0)
        assert _state(bench) == after


class _CrashAt:
    """Loses the connection at this point: see `TableStoreBench.observe`."""

    def __init__(self, point: int) -> None:
        self.point = point
        self.happened = False

    def __call__(self, point: int) -> None:
        if point == self.point:
            self.happened = True
            raise ConnectionLostError


def _error_of(bench: TableStoreBench, made: ImportJob, result: BoxResult) -> StoreError | None:
    try:
        bench.store.apply(made, result)
    except StoreError as error:
        return error
    return None


def _state(bench: TableStoreBench, made: ImportJob = FILLED) -> tuple[list[tuple[object, ...]], object, object]:
    """Rows, rejects and the step's watermark: what one transaction changes."""
    rows = sorted(bench.read(made.table, WIDER), key=repr)
    return rows, refused(bench), bench.store.watermark(made.step)
