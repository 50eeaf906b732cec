"""Every shipped executor keeps the contract of executors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.executors import InlineExecutor
from engine.executors.inline import MARKER
from engine.run import Executor, Partition
from engine.testing.executor_suite import ExecutorSuite


class TestInline(ExecutorSuite):
    def make(self) -> Executor:
        return InlineExecutor(3)

    def test_marker_of_another_process_is_not_replaced(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another process commits the partition between our last check and our commit: its result counts."""
        stage = self.stage(tmp_path, "write_part")
        original = os.link

        def slow_link(source: Path, target: Path) -> None:
            monkeypatch.setattr(os, "link", original)
            other = InlineExecutor(1)
            list(other.map(stage, [Partition("a", "a")]))
            other.close()
            original(source, target)

        monkeypatch.setattr(os, "link", slow_link)
        executor = InlineExecutor(1)
        (result,) = executor.map(stage, [Partition("a", "a")])
        executor.close()
        assert result.attempt == 2
        assert [path.parent.name for path in tmp_path.rglob(MARKER)] == ["a"]

    def test_executor_reports_progress(self, tmp_path: Path) -> None:
        seen = []
        executor = self.make()
        stage = self.stage(tmp_path, "write_part")
        list(executor.map(stage, [Partition("a", "a")], lambda part, totals: seen.append((part, totals))))
        executor.close()
        assert seen == [("a", {"counts": {"rows": 1}})]

    def test_partition_ids_cannot_leave_the_root(self, tmp_path: Path) -> None:
        executor = self.make()
        stage = self.stage(tmp_path, "write_part")
        list(executor.map(stage, [Partition("../../x", "a"), Partition("..", "b")]))
        executor.close()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["notes", "out"]
        assert len(list((tmp_path / "out").glob("*/*/attempt-1"))) == 2

    def test_partitions_with_a_duplicate_id_are_refused(self, tmp_path: Path) -> None:
        executor = self.make()
        with pytest.raises(ValueError, match="distinct ids"):
            executor.map(self.stage(tmp_path, "write_part"), [Partition("a", 1), Partition("a", 2)])
        executor.close()


def test_executor_without_workers_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        InlineExecutor(0)
