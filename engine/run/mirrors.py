"""The mirrors that a run reads are its own from its first read to its end.

Two runs of different interfaces may read one connection. Were they to share its mirror at the same time, a filtered
read of one would take rows out of sight between the reads and the boxes of the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from engine.graph import Call, Export, Extract
from engine.plan import ConnectionSettings, Plan

from .environment import World


class Mirrors:
    """Use as a context: what was taken is given back at the end. For several threads."""

    def __init__(self, plan: Plan, world: World) -> None:
        names = {task.step.connection for task in plan.tasks if isinstance(task.step, Extract | Export | Call)}
        found: Sequence[ConnectionSettings] = [each for each in plan.connections if each.name in names]
        # All runs take them in one order, so that no two wait for each other.
        self._missing = sorted(found, key=lambda settings: settings.name, reverse=True)
        self._world = world
        self._held = ExitStack()
        self._lock = threading.Lock()

    def __enter__(self) -> Mirrors:
        """Nothing is taken yet."""
        return self

    def __exit__(self, *_error: object) -> None:
        self._held.close()

    def take(self, waiting: Callable[[str], None]) -> None:
        """Have all of them. While another run has one, `waiting` is called with the reason; it may raise to give up."""
        with self._lock:
            while self._missing:
                staging = self._world.staging(self._missing[-1])
                self._held.enter_context(staging.hold(waiting))
                self._missing.pop()
