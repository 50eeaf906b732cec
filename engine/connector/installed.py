"""The connectors that are installed: the built-in ones, and entry points of the group `weir.connectors`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Final, cast

from .protocol import Connector
from .secret_policy import OWN_TOKENS, SecretPattern, SecretPolicy

GROUP: Final = "weir.connectors"
BUILT_IN: Final = MappingProxyType({"stripe": "engine.connectors.stripe:CONNECTOR"})
"""The connectors of this package, which are found even when its metadata is not installed."""
DEFAULT_CONNECTOR: Final = next(iter(BUILT_IN))
"""The connector of a verb that is given none."""


@cache
def installed_connectors() -> Mapping[str, Connector]:
    """All connectors by name, in order of name."""
    return MappingProxyType({name: load() for name, load in _loaders().items()})


@cache
def secret_policy() -> SecretPolicy:
    """The policy of this process: Weir's own tokens, and the secrets of every connector that can be loaded."""
    patterns = [OWN_TOKENS]
    for load in _loaders().values():
        patterns += _patterns_of(load)
    return SecretPolicy(patterns)


@cache
def currencies() -> Mapping[str, int]:
    """By currency, in lower case, the decimals of an amount in its smallest unit (see `Connector.currencies`).

    A currency that two connectors count differently is missing: an amount does not show whose it is.
    """
    counted: dict[str, set[int]] = {}
    for connector in installed_connectors().values():
        for currency, decimals in connector.currencies.items():
            counted.setdefault(currency, set()).add(decimals)
    return MappingProxyType({currency: min(found) for currency, found in sorted(counted.items()) if len(found) == 1})


def _loaders() -> dict[str, Callable[[], Connector]]:
    found: dict[str, Callable[[], Connector]] = {name: partial(_load, each) for name, each in BUILT_IN.items()}
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, cast("Callable[[], Connector]", point.load))
    return dict(sorted(found.items()))


def _load(address: str) -> Connector:
    module, _, name = address.partition(":")
    return cast("Connector", getattr(import_module(module), name))


def _patterns_of(load: Callable[[], Connector]) -> tuple[SecretPattern, ...]:
    try:
        return load().secret_patterns
    except Exception:  # noqa: BLE001 - reports of a broken connector are masked as well, by the other patterns
        return ()
