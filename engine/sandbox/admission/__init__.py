"""Admission of requests: keys, routes, limits, faults, hooks."""

from __future__ import annotations

from .faults import Fault, Faults
from .hooks import Hooks
from .keys import Keyring, check_permission, open_store
from .limits import RateLimiter, too_many
from .routes import RouteMatch, Routes

__all__ = [
    "Fault",
    "Faults",
    "Hooks",
    "Keyring",
    "RateLimiter",
    "RouteMatch",
    "Routes",
    "check_permission",
    "open_store",
    "too_many",
]
