"""A Ledgerbook for each test, whose key stands in the environment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ledgerbook_server import KEY, Ledgerbook


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledgerbook]:
    """The running service, empty."""
    monkeypatch.setenv("LEDGERBOOK_KEY", KEY)
    made = Ledgerbook()
    yield made
    made.close()
