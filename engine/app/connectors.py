"""The connectors that are installed: entry points of the group `weir.connectors`, and the built-in ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Final, cast

from engine.connector import Connector

GROUP: Final = "weir.connectors"
_BUILT_IN: Final = MappingProxyType({"stripe": "engine.connectors.stripe:CONNECTOR"})


@cache
def installed_connectors() -> Mapping[str, Connector]:
    """All connectors by name. A built-in one is found even when the package's metadata is not installed."""
    found = {name: _load(address) for name, address in _BUILT_IN.items()}
    for point in entry_points(group=GROUP):
        if point.name not in found:
            found[point.name] = cast("Connector", point.load())
    return MappingProxyType(dict(sorted(found.items())))


def _load(address: str) -> Connector:
    module, _, name = address.partition(":")
    return cast("Connector", getattr(import_module(module), name))
