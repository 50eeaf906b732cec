"""The table store on DuckDB keeps the contract of table stores."""

from __future__ import annotations

from pathlib import Path

from engine.testing.table_store_bench import TableStoreBench
from engine.testing.table_store_durability_suite import TableStoreDurabilitySuite
from engine.testing.table_store_suite import TableStoreSuite
from tests.support.duck.table_bench import DuckTableBench


class TestDuckTableStore(TableStoreSuite):
    def make(self, directory: Path) -> TableStoreBench:
        return DuckTableBench(directory)


class TestDuckTableStoreDurability(TableStoreDurabilitySuite):
    def make(self, directory: Path) -> TableStoreBench:
        return DuckTableBench(directory)
