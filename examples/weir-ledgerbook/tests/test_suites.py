"""The suites that every connector passes."""

from __future__ import annotations

from typing import Any

import pytest
from ledgerbook_server import Ledgerbook
from weir_ledgerbook import CONNECTOR
from weir_ledgerbook.writer import LedgerbookWriter

from engine.connector import Connector, Writer, WriteRequest
from engine.testing.connector_suite import ConnectorSuite
from engine.testing.mirror_suite import MirrorSuite
from engine.testing.writer_suite import WriterSuite


def config(book: Ledgerbook) -> dict[str, Any]:
    """The config that leads to the service."""
    return {"secret": ["env", "LEDGERBOOK_KEY"], "base_url": book.url, "timeout_ms": 10_000, "pause": 0.001}


class TestConnector(ConnectorSuite):
    def make(self) -> Connector:
        return CONNECTOR

    @pytest.fixture(autouse=True)
    def _key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LEDGERBOOK_KEY", "lb_test_0123456789abcdef")

    def unreachable(self) -> dict[str, object]:
        address = "http://127.0.0.1:9"
        return {"secret": ["env", "LEDGERBOOK_KEY"], "base_url": address, "timeout_ms": 500, "pause": 0.001}


class TestMirror(MirrorSuite):
    table = "contacts"
    column = "name"
    many = 300

    @pytest.fixture(autouse=True)
    def _book(self, book: Ledgerbook) -> None:
        self.book = book

    def make(self) -> Connector:
        return CONNECTOR

    def config(self) -> dict[str, Any]:
        return config(self.book)

    def add(self, text: str) -> str:
        return str(self.book.add("contacts", name=text, email=None)["id"])

    def change(self, identifier: str, text: str) -> None:
        self.book.change("contacts", identifier, name=text)

    def remove(self, identifier: str) -> None:
        self.book.remove("contacts", identifier)

    def permit(self, *, allowed: bool) -> None:
        self.book.forbidden = set() if allowed else {"contacts"}

    def wait(self) -> None:
        self.book.ahead += 60

    def requests(self) -> int:
        return len(self.book.requests)


class TestWriter(WriterSuite):
    table = "contacts"

    @pytest.fixture(autouse=True)
    def _book(self, book: Ledgerbook) -> None:
        self.book = book

    def make(self) -> Writer:
        return LedgerbookWriter(config(self.book))

    def create(self, name: str, lane: str | None = None, requires: str | None = None) -> WriteRequest:
        return WriteRequest(name, "contacts.create", None, (("name", name),), lane, requires)

    def refused(self, name: str, lane: str | None = None) -> WriteRequest:
        return WriteRequest(name, "contacts.create", None, (("name", ""),), lane)

    def made(self) -> list[str]:
        return [each["name"] for each in self.book.objects["contacts"].values()]
