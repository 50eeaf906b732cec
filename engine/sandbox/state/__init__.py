"""The state of a world: objects, clock, idempotency keys, and the file that stores them."""

from __future__ import annotations

from .clock import Clock
from .idempotency import ApiResponse, IdempotencyKeys, IdempotencyRecord
from .lock import PAUSE_SECONDS, StateLock, StateLockedError, acquire, acquire_or_join
from .state_file import Origin, StateError, StateFile, StoredObject, StoredResponse
from .store import Obj, ObjectTable, OrderKey, Row, Store

__all__ = [
    "PAUSE_SECONDS",
    "ApiResponse",
    "Clock",
    "IdempotencyKeys",
    "IdempotencyRecord",
    "Obj",
    "ObjectTable",
    "OrderKey",
    "Origin",
    "Row",
    "StateError",
    "StateFile",
    "StateLock",
    "StateLockedError",
    "Store",
    "StoredObject",
    "StoredResponse",
    "acquire",
    "acquire_or_join",
]
