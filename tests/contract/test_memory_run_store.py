"""The memory run store keeps the contract of run stores."""

from __future__ import annotations

from pathlib import Path

from engine.testing.fakes import MemoryRunStore, RunMemory
from engine.testing.run_store_suite import RunStoreSuite, StoreAndLedger


class TestMemoryRunStore(RunStoreSuite):
    memories: dict[Path, RunMemory] | None = None

    def make(self, directory: Path) -> StoreAndLedger:
        if self.memories is None:
            self.memories = {}
        return MemoryRunStore(self.memories.setdefault(directory, RunMemory()))
