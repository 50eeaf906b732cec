"""Package faces whose names are imported when they are first used (PEP 562).

A face imports its names under `TYPE_CHECKING`, for readers and for the checkers of types and of layers, and gives
`lazy` the same names by module for the time when it runs:

    if TYPE_CHECKING:
        from .store import Store, open_store
    else:
        __getattr__ = lazy(__name__, {".store": "Store open_store"})
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazy(package: str, names: Mapping[str, str]) -> Callable[[str], object]:
    """The `__getattr__` of a package. `names` are those of its face, divided by blanks, by the module that has them.

    A name that was used is an ordinary attribute. AttributeError for a name that the face does not have.
    """
    owners = {name: module for module, own in names.items() for name in own.split()}

    def resolved(name: str) -> object:
        if name not in owners:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found: object = getattr(import_module(owners[name], package), name)
        setattr(sys.modules[package], name, found)
        return found

    return resolved
