"""A sandbox: its world and the machinery around it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from engine.connectors.stripe.catalogue import load_catalogue

from .clock import Clock
from .expand import Expander
from .faults import Faults
from .hooks import Hooks
from .idempotency import Keys
from .keys import Keyring
from .limits import Limiter
from .options import SandboxOptions
from .reads import Reader
from .routes import Routes
from .world import World

TRACE = 20_000
"""How many requests are remembered."""


class Sandbox:
    """Everything that a running sandbox is made of. `elapsed` gives seconds of a monotonic clock."""

    def __init__(self, options: SandboxOptions, elapsed: Callable[[], float]) -> None:
        self.options = options
        self._elapsed = elapsed
        self.catalogue = load_catalogue()
        self.routes = Routes(self.catalogue)
        self.reset()

    def reset(self) -> None:
        """Begin again, as at the start."""
        options = self.options
        clock = Clock(options.now, self._elapsed, frozen=options.frozen)
        self.world = World(options, self.catalogue, clock)
        self.expander = Expander(self.catalogue, self.world.renderer)
        self.reader = Reader(self.world, self.expander)
        self.keyring = Keyring(options.keys)
        self.limiter = Limiter(options.limits, self._elapsed)
        self.faults = Faults(Random(f"{options.seed}/faults"))  # noqa: S311 - faults that can be repeated
        self.idempotency = Keys()
        self.hooks = Hooks()
        self.trace: deque[dict[str, Any]] = deque(maxlen=TRACE)
        self.counts: dict[str, int] = {}
