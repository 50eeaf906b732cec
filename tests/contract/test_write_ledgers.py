"""The write ledgers in memory and in SQLite keep the contract of write ledgers."""

from __future__ import annotations

from pathlib import Path

from engine.stores import open_write_ledger
from engine.testing.fakes import MemoryWriteLedger, WriteMemory
from engine.testing.write_ledger_suite import ClosableLedger, WriteLedgerSuite


class TestMemoryWriteLedger(WriteLedgerSuite):
    memories: dict[Path, WriteMemory] | None = None

    def make(self, directory: Path) -> ClosableLedger:
        if self.memories is None:
            self.memories = {}
        return MemoryWriteLedger(self.memories.setdefault(directory, WriteMemory()))


class TestSqlWriteLedger(WriteLedgerSuite):
    def make(self, directory: Path) -> ClosableLedger:
        return open_write_ledger(directory / "deep" / "state.db")
