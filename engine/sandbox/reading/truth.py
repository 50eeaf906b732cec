"""The ground truth of a world: what an exact mirror must contain."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256
from typing import Any

import msgspec

from engine.connectors.stripe.catalogue import FieldType

from ..state import Row, Store
from ..world import SandboxWorld
from .filters import event_is_listed

WHOLE = (FieldType.INTEGER, FieldType.TIMESTAMP)
ENCODER = msgspec.json.Encoder(order="sorted")


def digest(shown: Any) -> str:
    """SHA-256 of an object as JSON with sorted keys and no whitespace."""
    return sha256(ENCODER.encode(shown)).hexdigest()


def ground_truth(world: SandboxWorld, wanted: Collection[str] = (), *, objects: bool = False) -> dict[str, Any]:
    """By account, then by table: count, hash of each object by id, sums of integer fields, ids of deleted objects.

    `wanted` restricts it to these tables; `objects` adds the objects themselves.

    Covers what the API lists: visible events of the last 30 days, no inline prices, no customers on a test clock. The
    key of a live account is its id with the suffix `/live`.
    """
    found: dict[str, Any] = {}
    for (account, livemode), store in sorted(world.stores().items()):
        tables = found[account + "/live" * livemode] = {}
        for name, table in world.catalogue.tables.items():
            if wanted and name not in wanted:
                continue
            entry = _table(world, store, table.resources, objects=objects)
            if entry["count"] or entry["deleted"]:
                tables[name] = entry
    return found


def _table(world: SandboxWorld, store: Store, resources: tuple[str, ...], *, objects: bool) -> dict[str, Any]:
    hashes: dict[str, str] = {}
    sums: dict[str, int] = {}
    full: dict[str, Any] = {}
    deleted: list[str] = []
    for resource in resources:
        whole = [each.name for each in world.catalogue.resources[resource].fields if each.type in WHOLE]
        deleted += store.table(resource).gone
        for row in store.table(resource).rows.values():
            if not _is_listed(world, resource, row):
                continue
            shown = world.renderer.show(store, resource, row)
            hashes[row.id] = digest(shown)
            for name in whole:
                if isinstance(shown.get(name), int):
                    sums[name] = sums.get(name, 0) + shown[name]
            if objects:
                full[row.id] = shown
    entry: dict[str, Any] = {"count": len(hashes), "ids": hashes, "sums": sums, "deleted": deleted}
    return {**entry, "objects": full} if objects else entry


def _is_listed(world: SandboxWorld, resource: str, row: Row) -> bool:
    match resource:
        case "event":
            return event_is_listed(row, world.clock.now())
        case "price":
            return not (row.extra or {}).get("inline")
        case "customer" | "subscription" | "quote":
            return row.obj["test_clock"] is None
        case _:
            return True
