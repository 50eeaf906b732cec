"""The mirror of every connector that is shipped keeps the rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.connector import Connector
from engine.connectors.stripe import CONNECTOR
from engine.testing.mirror_suite import MirrorSuite
from tests.support.mirror.shop import ServedShops

KEY = "rk_test_of_the_mirror"
FAST = {"first": 0.0005, "longest": 0.002, "tries": 6}


@pytest.fixture(scope="module")
def served() -> Iterator[ServedShops]:
    shops = ServedShops()
    yield shops
    shops.close()


class TestStripe(MirrorSuite):
    table = "customers"
    column = "name"
    many = 520

    @pytest.fixture(autouse=True)
    def _shop(self, served: ServedShops, tmp_path: Path) -> None:
        (tmp_path / "key").write_text(KEY)
        self.shop = served.open()
        self.permit(allowed=True)

    def make(self) -> Connector:
        return CONNECTOR

    def config(self) -> dict[str, Any]:
        key = str(self.folder / "key")
        return {
            "secret": ["file", key],
            "base_url": self.shop.url,
            "retry": FAST,
            "requests_per_second": 10_000.0,
            "concurrency": 1,
        }

    def add(self, text: str) -> str:
        self.shop.advance(2)
        return str(self.shop.act("POST", "/v1/customers", {"name": text})["id"])

    def change(self, identifier: str, text: str) -> None:
        self.shop.act("POST", f"/v1/customers/{identifier}", {"name": text})

    def remove(self, identifier: str) -> None:
        self.shop.act("DELETE", f"/v1/customers/{identifier}")

    def permit(self, *, allowed: bool) -> None:
        self.shop.allow(KEY, None if allowed else frozenset({"rak_event_read", "rak_account_read"}))

    def wait(self) -> None:
        self.shop.advance(600)

    def requests(self) -> int:
        return len(self.shop.requests())
