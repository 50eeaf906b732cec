"""A shop and its mirror, with short methods for the tests of traps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.run.outcome import Run
from tests.support.mirror.comparison import demand_same
from tests.support.mirror.mirrored import Mirrored
from tests.support.mirror.shop import ServedShops, Shop


class Pair:
    """A shop and the mirror of some of its tables."""

    def __init__(self, shop: Shop, mirrored: Mirrored) -> None:
        self.shop = shop
        self.mirrored = mirrored
        self.sync = mirrored.sync
        self.advance = shop.advance

    def post(self, path: str, **params: Any) -> Any:
        """Send a write. `a__b` stands for `a[b]`."""
        form = {name.replace("__", "[", 1) + ("]" if "__" in name else ""): value for name, value in params.items()}
        return self.shop.act("POST", path, form)

    def make(self, path: str, count: int, *, per_second: int = 1) -> list[str]:
        """The IDs of `count` new objects, oldest first; `per_second` of them are created in a second."""
        found = []
        for number in range(count):
            if number % per_second == 0:
                self.advance(1)
            found.append(self.post(path)["id"])
        return found

    def updated(self, **config: Any) -> Run:
        """Synchronize the mirror, which must succeed."""
        run = self.sync(**config)
        assert run.status == "succeeded", [outcome.message for outcome in run.outcomes]
        return run

    def live(self, table: str) -> dict[str, dict[str, Any]]:
        """The live rows of a table by ID."""
        return self.mirrored.live(table)

    def dead(self, table: str) -> set[str]:
        """The IDs of a table's rows with a tombstone."""
        return {row["id"] for row in self.mirrored.rows().get((table, None), []) if row["_deleted_at"] is not None}

    def demand_truth(self, *but: str) -> None:
        """Assert that the mirror equals the shop in every field, in all tables `but` these."""
        demand_same(self.shop.truth(*(name for name in self.mirrored.tables if name not in but)), self.mirrored.rows())

    def asked(self, *parts: str) -> list[dict[str, Any]]:
        """The requests so far whose path and query contain all of these."""
        return [
            each for each in self.shop.requests() if all(part in f"{each['path']}?{each['query']}" for part in parts)
        ]


Opener = Callable[..., Pair]


@pytest.fixture(scope="session")
def served() -> Iterator[ServedShops]:
    shops = ServedShops()
    yield shops
    shops.close()


@pytest.fixture
def opened(served: ServedShops, tmp_path: Path) -> Opener:
    """Open a shop (options of the sandbox) with the mirror of these tables."""

    def make(*tables: str, config: dict[str, Any] | None = None, **options: Any) -> Pair:
        shop = served.open(**options)
        return Pair(shop, Mirrored(tmp_path / "mirror", shop, tables, **(config or {})))

    return make
