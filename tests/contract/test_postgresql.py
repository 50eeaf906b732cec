"""Run store and write ledger keep their contracts on PostgreSQL, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.stores import SqlRunStore, SqlWriteLedger
from engine.testing.run_store_suite import RunStoreSuite, StoreAndLedger
from engine.testing.write_ledger_suite import ClosableLedger, WriteLedgerSuite
from tests.support.postgresql import database, server

pytestmark = [pytest.mark.xdist_group("postgresql"), pytest.mark.process]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with server() as found:
        yield found


class TestRunStoreOnPostgresql(RunStoreSuite):
    @pytest.fixture(autouse=True)
    def _on(self, address: str) -> None:
        self.address = address

    def make(self, directory: Path) -> StoreAndLedger:
        return SqlRunStore(database(self.address, directory))


class TestWriteLedgerOnPostgresql(WriteLedgerSuite):
    @pytest.fixture(autouse=True)
    def _on(self, address: str) -> None:
        self.address = address

    def make(self, directory: Path) -> ClosableLedger:
        return SqlWriteLedger(database(self.address, directory))
