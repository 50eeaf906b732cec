"""Starts that are taken once: the due time moves and the claim on it is kept in one transaction.

A server that dies between taking a start and beginning its run leaves its claim behind; another server, or the same one
after a restart, then carries it out under the id that it was to have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from engine import stores
from engine.app.running.world import new_run_id

_OURS: Final[set[str]] = set()
"""How the servers of this process are described: another description with our process id is of one that died."""


@dataclass(slots=True)
class ClaimedTimes:
    """The due times (`DueTimes`) of a server that is described by `owner`. Not for several threads."""

    store: stores.SqlServingStore
    owner: str
    now: Callable[[], datetime]
    _runs: dict[tuple[str, datetime], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _OURS.add(self.owner)

    def due(self) -> Mapping[str, datetime]:
        """See `DueTimes.due`."""
        return self.store.due()

    def move_due(self, interface: str, before: datetime | None, after: datetime) -> bool:
        """See `DueTimes.move_due`. What is taken is claimed."""

        if before is None:
            return self.store.move_due(interface, None, after)
        claim = stores.Claim(interface, before, new_run_id(self.now()), self.owner)
        if not self.store.move_due(interface, before, after, claim):
            return False
        self._runs[interface, before] = claim.run
        return True

    def run_of(self, interface: str, due: datetime) -> str | None:
        """The id that the run of a start is to have; once: what is tried again has an id of its own."""
        return self._runs.pop((interface, due), None)

    def give_up(self, interface: str, due: datetime) -> None:
        """Nothing is to become of this start."""
        run = self._runs.pop((interface, due), None)
        if run is not None:
            self.store.settle(run, self.owner)

    def settle(self, run: str) -> None:
        """The run has ended."""
        self.store.settle(run, self.owner)

    def left_behind(self, is_alive: Callable[[str], bool]) -> list[stores.Claim]:
        """Claims of servers that died before the run began; they are this server's from now on."""
        found = []
        for claim in self.store.claims():
            if claim.owner == self.owner or (_may_live(claim.owner) and is_alive(claim.owner)):
                continue
            if not self.store.take_over(claim, self.owner):
                continue
            if self.store.has_begun(claim.run):
                self.store.settle(claim.run, self.owner)
            else:
                found.append(claim)
        return found


def _may_live(owner: str) -> bool:
    return owner in _OURS or not any(owner.split(",")[0] == ours.split(",")[0] for ours in _OURS)
