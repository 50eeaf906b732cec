"""Leases that keep two runs of one interface apart, kept alive by a heartbeat."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from .environment import World
from .outcome import RunRefusedError
from .ports.records import RunStore
from .processes import in_words

LEASE_PREFIX: Final = "interface:"


class Leases:
    """The leases of a run. Use as a context: they are given back at the end.

    `lost` turns true when one could not be renewed in time or is somebody else's: nothing may be committed then.
    """

    def __init__(self, world: World, interfaces: Sequence[str]) -> None:
        self._world = world
        self._names = [f"{LEASE_PREFIX}{name}" for name in sorted(set(interfaces))]
        self._tokens: dict[str, int] = {}
        self._end = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="leases", daemon=True)

    def __enter__(self) -> Leases:
        """Take all of them, or refuse (`RunRefusedError` E622) with none taken."""
        for name in self._names:
            token = acquire_lease(self._world, name)
            if token is None:
                holder = in_words(self._world.runs.holder(name) or "another process")
                self._release()
                raise RunRefusedError(
                    "E622",
                    f"`{name.removeprefix(LEASE_PREFIX)}` is already running: {holder}",
                    "wait until it has ended; `weir runs` shows it",
                )
            self._tokens[name] = token
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._end.set()
        self._thread.join()
        self._release()

    @property
    def lost(self) -> bool:
        """Whether a lease may belong to somebody else by now."""
        return self._lost.is_set()

    def _release(self) -> None:
        for name, token in self._tokens.items():
            self._world.runs.release(name, token)
        self._tokens.clear()

    def _beat(self) -> None:
        ttl = self._world.lease_seconds
        safe_until = self._world.now() + timedelta(seconds=ttl)
        while not self._end.wait(ttl / 3):
            now = self._world.now()
            try:
                kept = all(self._world.runs.renew(name, token, now, ttl) for name, token in self._tokens.items())
            except Exception:  # noqa: BLE001 - whatever keeps the store from answering: try again until it is too late
                kept = now < safe_until
            else:
                safe_until = now + timedelta(seconds=ttl)
            if not kept:
                self._lost.set()
                return


def acquire_lease(world: World, name: str) -> int | None:
    """The lease `name`, also when a process holds it that is proven dead."""
    return take_lease(world.runs, name, world.owner, world.now(), world.lease_seconds, world.is_alive)


def take_lease(
    runs: RunStore, name: str, owner: str, now: datetime, seconds: float, is_alive: Callable[[str], bool]
) -> int | None:
    """See `acquire_lease`, outside a run."""
    token = runs.acquire(name, owner, now, seconds)
    if token is not None:
        return token
    holder = runs.holder(name)
    if holder is not None and not is_alive(holder) and runs.evict(name, holder):
        return runs.acquire(name, owner, now, seconds)
    return None


def bury_dead_runs(world: World) -> tuple[str, ...]:
    """Mark runs as abandoned whose processes died; their ids. The caller holds the leases of its own interfaces."""
    buried = []
    for run in world.runs.runs(200):
        if run.status != "running" or any(_is_held(world, f"{LEASE_PREFIX}{name}") for name in run.interfaces):
            continue
        world.runs.end_run(run.id, "abandoned", world.now(), run.counts)
        buried.append(run.id)
    return tuple(buried)


def _is_held(world: World, name: str) -> bool:
    """Whether somebody else, alive, holds the lease."""
    token = acquire_lease(world, name)
    if token is not None:
        world.runs.release(name, token)
        return False
    return world.runs.holder(name) != world.owner
