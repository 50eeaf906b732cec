"""The life of a process, simulated within the test's: it ends at one call, and nothing is executed afterwards."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Crash:
    """Ends the life at the `times`th call of this name ("ledger.end_ops"), right before or right after it; with
    `asks` it only asks the run to stop."""

    point: str
    times: int
    after: bool
    asks: bool = False


class DeadError(Exception):
    """The process has ended: the call was not executed."""


@dataclass
class Life:
    """Wraps the objects by which a run commits. `crash` defines the end; None: never."""

    crash: Crash | None = None
    dead: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    _calls: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wrap(self, name: str, target: Any) -> Any:
        """The same object, whose methods are executed until the life ends."""
        return _Mortal(name, target, self)

    def begin(self, point: str) -> bool:
        """Whether the life ends right after this call; raises `DeadError` if it has ended."""
        with self._lock:
            self._calls[point] += 1
            crash = self.crash
            meets = crash is not None and crash.point == point and crash.times == self._calls[point]
            if meets and crash is not None and crash.asks:
                self.stop.set()
                return False
            self.dead = self.dead or (meets and crash is not None and not crash.after)
            if self.dead:
                raise DeadError(point)
            return meets

    def end(self, point: str) -> None:
        """End the life."""
        self.dead = True
        raise DeadError(point)


class _Mortal:
    def __init__(self, name: str, target: Any, life: Life) -> None:
        self._name = name
        self._target = target
        self._life = life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found) or name in ("close", "hold"):
            return found
        point = f"{self._name}.{name}"

        @functools.wraps(found)
        def call(*arguments: Any, **options: Any) -> Any:
            ends = self._life.begin(point)
            answer = found(*arguments, **options)
            if ends:
                self._life.end(point)
            return answer

        return call
