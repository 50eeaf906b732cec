"""How many requests somebody may make: a bucket each, of tokens by id and of addresses."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_MOST_KEPT: Final = 10_000


@dataclass(slots=True)
class Buckets:
    """A bucket of `burst` for each key, filled again by `per_minute`. For several threads. The longest unused are
    forgotten, so that nobody fills the memory with addresses."""

    per_minute: float
    burst: float
    clock: Callable[[], float]
    _levels: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: str) -> int | None:
        """Take one. None: there was one. Otherwise the seconds until there will be."""
        return self._change(key, 1.0)

    def empty_for(self, key: str) -> int | None:
        """As `take`, without taking."""
        return self._change(key, 0.0)

    def _change(self, key: str, wanted: float) -> int | None:
        with self._lock:
            now = self.clock()
            level, at = self._levels.pop(key, (self.burst, now))
            level = min(self.burst, level + (now - at) * self.per_minute / 60)
            enough = level >= 1.0
            self._levels[key] = (level - wanted if enough else level, now)
            if len(self._levels) > _MOST_KEPT:
                self._levels.popitem(last=False)
            return None if enough else max(1, math.ceil((1.0 - level) * 60 / self.per_minute))
