"""What every `Executor` must do. Subclass it in a test module: `class TestInline(ExecutorSuite)` with `make`."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest

from engine.connector import ConnectorError, Failure, FailureKind
from engine.run import Executor, Json, Output, OutputFile, Partition, Stage, TaskContext, TaskResult


def write_part(config: Mapping[str, Json], payload: Json, context: TaskContext) -> Output:
    """Write the payload into a file, and note the attempt beside the stage."""
    note(config, payload, context)
    path = context.directory / "part.txt"
    path.write_text(f"{config['greeting']} {payload}")
    context.report({"counts": {"rows": 1}})
    return Output((OutputFile(str(path), 1, "parts", {"payload": payload}),), {"payload": payload, "pair": [1, 2]})


def fail_on_purpose(config: Mapping[str, Json], payload: Json, context: TaskContext) -> Output:
    """A failure that the user must hear of, for the payload "bad"."""
    note(config, payload, context)
    if payload == "bad":
        raise ConnectorError(Failure(FailureKind.PERMISSION, "no", permission="rak_charge_read", table="charges"))
    return Output(value=payload)


def lose_worker(config: Mapping[str, Json], payload: Json, context: TaskContext) -> Output:
    """Die, leaving a half-written file, as often as the payload says."""
    note(config, payload, context)
    (context.directory / "half").write_text("half")
    if context.attempt <= cast("int", payload):
        raise RuntimeError("the worker is gone")
    return Output(value=context.attempt)


def overlap(config: Mapping[str, Json], payload: Json, _context: TaskContext) -> Output:
    """Note when this partition began and ended."""
    began = time.monotonic()
    time.sleep(0.05)
    with (Path(str(config["notes"])) / f"{payload}.span").open("x") as file:
        file.write(f"{began} {time.monotonic()}")
    return Output(value=payload)


def wait_for_the_end(config: Mapping[str, Json], payload: Json, context: TaskContext) -> Output:
    """Go on until the run is cancelled."""
    note(config, payload, context)
    for _ in range(500):
        if context.cancelled():
            return Output(value="cancelled")
        time.sleep(0.01)
    return Output(value="never cancelled")


def note(config: Mapping[str, Json], payload: Json, context: TaskContext) -> None:
    """Leave a trace of this attempt."""
    (Path(str(config["notes"])) / f"{payload}-{context.attempt}-{time.monotonic_ns()}").touch()


class ExecutorSuite:
    """The rules of executors, each as a test. `make` gives an executor that runs at least two partitions at once."""

    def make(self) -> Executor:
        """A new executor; the test closes it."""
        raise NotImplementedError

    @pytest.fixture
    def executor(self) -> Executor:
        """The executor under test."""
        return self.make()

    @staticmethod
    def stage(root: Path, function: str, *, retries: int = 2) -> Stage:
        """A stage of one of this module's functions, working below `root`."""
        notes = root / "notes"
        notes.mkdir(exist_ok=True)
        return Stage(
            "s 1/a", f"{__name__}:{function}", {"greeting": "hello", "notes": str(notes)}, root / "out", retries
        )

    @staticmethod
    def attempts(root: Path, payload: str) -> int:
        """How many attempts at this payload began."""
        return len(list((root / "notes").glob(f"{payload}-*")))

    def test_each_partition_has_a_result(self, executor: Executor, tmp_path: Path) -> None:
        parts = [Partition(f"p/{n}", f"x{n}") for n in range(7)]
        results = list(executor.map(self.stage(tmp_path, "write_part"), parts))
        executor.close()
        assert sorted(result.partition for result in results) == [part.id for part in parts]
        for result in results:
            (file,) = result.files
            assert result.error is None
            assert Path(file.path).read_text() == f"hello x{result.partition[-1]}"
            assert (file.rows, file.bucket, file.meta) == (1, "parts", {"payload": f"x{result.partition[-1]}"})
            assert result.value == {"payload": f"x{result.partition[-1]}", "pair": [1, 2]}

    def test_no_partitions_no_results(self, executor: Executor, tmp_path: Path) -> None:
        assert list(executor.map(self.stage(tmp_path, "write_part"), [])) == []
        executor.close()

    def test_a_committed_partition_is_not_run_again(self, executor: Executor, tmp_path: Path) -> None:
        stage = self.stage(tmp_path, "write_part")
        first = list(executor.map(stage, [Partition("a", "a")]))
        executor.close()
        again = self.make()
        both = {result.partition: result for result in again.map(stage, [Partition("a", "a"), Partition("b", "b")])}
        again.close()
        assert both["a"] == first[0]
        assert self.attempts(tmp_path, "a") == 1
        assert self.attempts(tmp_path, "b") == 1

    def test_a_commit_without_its_files_does_not_count(self, executor: Executor, tmp_path: Path) -> None:
        stage = self.stage(tmp_path, "write_part")
        (first,) = executor.map(stage, [Partition("a", "a")])
        Path(first.files[0].path).write_text("cut")
        (second,) = executor.map(stage, [Partition("a", "a")])
        executor.close()
        assert second.attempt > first.attempt
        assert Path(second.files[0].path).read_text() == "hello a"

    def test_a_failure_is_a_result_and_no_loss(self, executor: Executor, tmp_path: Path) -> None:
        stage = self.stage(tmp_path, "fail_on_purpose")
        parts = [Partition("good", "good"), Partition("bad", "bad")]
        results = {result.partition: result for result in executor.map(stage, parts)}
        assert results["good"] == TaskResult("good", 1, value="good")
        assert results["bad"].error == Failure(
            FailureKind.PERMISSION, "no", permission="rak_charge_read", table="charges"
        )
        assert self.attempts(tmp_path, "bad") == 1
        assert next(iter(executor.map(stage, [parts[1]]))).error is not None
        executor.close()
        assert self.attempts(tmp_path, "bad") == 2, "a failure is not committed"

    def test_a_lost_worker_is_replaced(self, executor: Executor, tmp_path: Path) -> None:
        (result,) = executor.map(self.stage(tmp_path, "lose_worker"), [Partition("a", 2)])
        executor.close()
        assert result.value == 3
        assert result.attempt == 3
        assert self.attempts(tmp_path, "2") == 3

    def test_workers_are_not_replaced_for_ever(self, executor: Executor, tmp_path: Path) -> None:
        with pytest.raises(RuntimeError, match="the worker is gone"):
            list(executor.map(self.stage(tmp_path, "lose_worker", retries=1), [Partition("a", 9)]))
        executor.close()
        assert self.attempts(tmp_path, "9") == 2

    def test_one_rate_domain_one_partition(self, executor: Executor, tmp_path: Path) -> None:
        parts = [Partition(str(n), n, rate_domain="abc"[n % 2]) for n in range(6)]
        list(executor.map(self.stage(tmp_path, "overlap"), parts))
        executor.close()
        spans = {n: [float(x) for x in (tmp_path / "notes" / f"{n}.span").read_text().split()] for n in range(6)}
        for domain in (0, 1):
            mine = sorted(spans[n] for n in range(domain, 6, 2))
            assert all(before[1] <= after[0] for before, after in pairwise(mine))

    def test_work_begins_with_the_call(self, executor: Executor, tmp_path: Path) -> None:
        results = executor.map(self.stage(tmp_path, "write_part"), [Partition("a", "a")])
        for _ in range(500):
            if self.attempts(tmp_path, "a"):
                break
            time.sleep(0.01)
        assert self.attempts(tmp_path, "a") == 1
        assert [result.partition for result in results] == ["a"]
        executor.close()

    def test_cancelling_reaches_the_functions(self, executor: Executor, tmp_path: Path) -> None:
        stop = threading.Event()
        stage = self.stage(tmp_path, "wait_for_the_end")
        results = executor.map(stage, [Partition("a", "a")], lambda _part, _totals: None, stop.is_set)
        stop.set()
        assert [result.value for result in results] == ["cancelled"]
        executor.close()

    def test_leaving_early_stops_the_rest(self, executor: Executor, tmp_path: Path) -> None:
        stage = self.stage(tmp_path, "fail_on_purpose")
        results = executor.map(stage, [Partition(str(n), n) for n in range(200)])
        next(iter(results))
        results.close()  # type: ignore[attr-defined] # a generator, here
        executor.close()
        assert len(list((tmp_path / "notes").iterdir())) < 200

    def test_two_maps_at_once(self, executor: Executor, tmp_path: Path) -> None:
        one, two = (tmp_path / "1", tmp_path / "2")
        one.mkdir()
        two.mkdir()
        first = executor.map(self.stage(one, "write_part"), [Partition("a", "a")])
        second = executor.map(self.stage(two, "write_part"), [Partition("a", "b")])
        assert [result.files[0].meta["payload"] for result in (*second, *first)] == ["b", "a"]
        executor.close()

    def test_it_runs_several_at_once(self, executor: Executor) -> None:
        assert executor.parallelism >= 2
        executor.close()
