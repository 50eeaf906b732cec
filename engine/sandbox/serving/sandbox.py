"""The parts of a running sandbox."""

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
"""Number of requests in the trace."""


class Sandbox:
    """A world with what admits and answers requests. `elapsed` returns seconds of a monotonic clock.

    With `persistence` it resumes the saved world and saves every change. StateError if that cannot be read.
    """

    def __init__(
        self, options: SandboxOptions, elapsed: Callable[[], float], persistence: Persistence | None = None
    ) -> None:
        self.options = persistence.options(options) if persistence is not None else options
        self._elapsed = elapsed
        self._persistence = persistence
        self.catalogue = load_catalogue()
        self.routes = Routes(self.catalogue)
        self._begin()

    def reset(self) -> None:
        """Return to the initial state. A saved world is discarded; the new one has another account."""
        if self._persistence is not None:
            self._persistence.reset()
        self._begin()

    def save(self) -> None:
        """Save all changes if this sandbox is persistent. Call it before a response leaves."""
        if self._persistence is not None:
            self._persistence.save(self.world, self.idempotency)

    def _begin(self) -> None:
        options, persistence = self.options, self._persistence
        if persistence is None:
            clock = Clock(options.now, self._elapsed, frozen=options.frozen)
        else:
            clock = persistence.clock(self._elapsed, frozen=options.frozen)
        self.world = SandboxWorld(
            options, self.catalogue, clock, persistence.restored() if persistence is not None else None
        )
        self.expander = Expander(self.catalogue, self.world.renderer)
        self.reader = Reader(self.world, self.expander)
        self.keyring = Keyring(options.keys)
        self.limiter = RateLimiter(options.limits, self._elapsed)
        self.faults = Faults(Random(f"{options.seed}/faults"))  # noqa: S311 - reproducible faults
        self.idempotency = IdempotencyKeys()
        if persistence is not None:
            persistence.attach(self.world, self.idempotency)
        self.hooks = Hooks()
        self.trace: deque[dict[str, Any]] = deque(maxlen=TRACE)
        self.counts: dict[str, int] = {}
