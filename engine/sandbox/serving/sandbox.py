"""A sandbox: its world and the machinery around it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from engine.connectors.stripe.catalogue import load_catalogue

from ..admission import Faults, Hooks, Keyring, RateLimiter, Routes
from ..objects import Expander
from ..options import SandboxOptions
from ..persistence import Persistence
from ..reading import Reader
from ..state import Clock, IdempotencyKeys
from ..world import SandboxWorld

TRACE = 20_000
"""How many requests are remembered."""


class Sandbox:
    """Everything that a running sandbox is made of. `elapsed` gives seconds of a monotonic clock.

    With `persistence` it resumes the saved world and saves every change. StateError if that cannot be read.
    """

    def __init__(
        self, options: SandboxOptions, elapsed: Callable[[], float], persistence: Persistence | None = None
    ) -> None:
        self.options = persistence.options(options) if persistence is not None else options
        self._elapsed = elapsed
        self._keeper = persistence
        self.catalogue = load_catalogue()
        self.routes = Routes(self.catalogue)
        self._begin()

    def reset(self) -> None:
        """Begin again, as at the start. A kept world is forgotten, and the new one has another account."""
        if self._keeper is not None:
            self._keeper.begin_again()
        self._begin()

    def keep(self) -> None:
        """Keep what has changed, if this sandbox keeps its world: to be done before anybody is told of it."""
        if self._keeper is not None:
            self._keeper.keep(self.world, self.idempotency)

    def _begin(self) -> None:
        options, persistence = self.options, self._keeper
        if persistence is None:
            clock = Clock(options.now, self._elapsed, frozen=options.frozen)
        else:
            clock = persistence.clock(self._elapsed, frozen=options.frozen)
        self.world = SandboxWorld(
            options, self.catalogue, clock, persistence.past() if persistence is not None else None
        )
        self.expander = Expander(self.catalogue, self.world.renderer)
        self.reader = Reader(self.world, self.expander)
        self.keyring = Keyring(options.keys)
        self.limiter = RateLimiter(options.limits, self._elapsed)
        self.faults = Faults(Random(f"{options.seed}/faults"))  # noqa: S311 - faults that can be repeated
        self.idempotency = IdempotencyKeys()
        if persistence is not None:
            persistence.follow(self.world, self.idempotency)
        self.hooks = Hooks()
        self.trace: deque[dict[str, Any]] = deque(maxlen=TRACE)
        self.counts: dict[str, int] = {}
