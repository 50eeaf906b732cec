"""Schedulers with a manual clock, and due times in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.app.serving.scheduler import Left, Scheduler, Start
from engine.spec import InterfaceSpec

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def interface(name: str = "a", **fields: Any) -> InterfaceSpec:
    """An interface with these fields."""
    return InterfaceSpec.model_validate(
        {"kind": "interface", "name": name, "steps": [{"stop_if": "SELECT true"}], **fields}
    )


def at(text: str) -> datetime:
    """A timestamp of 2026 in UTC, given as `03-29T01:00`."""
    return datetime.fromisoformat(f"2026-{text}:00+00:00")


@dataclass
class MemoryDueTimes:
    """Due times that schedulers share."""

    known: dict[str, datetime] = field(default_factory=dict)

    def due(self) -> Mapping[str, datetime]:
        return dict(self.known)

    def move_due(self, interface: str, before: datetime | None, after: datetime) -> bool:
        if self.known.get(interface) != before:
            return False
        self.known[interface] = after
        return True


@dataclass
class Server:
    """A scheduler whose runs take no time, or last until `end` is called."""

    times: MemoryDueTimes
    specs: list[InterfaceSpec]
    now: datetime = BEGIN
    feeders: Mapping[str, frozenset[str]] = field(default_factory=dict)
    lasting: bool = False
    left: list[Left] = field(default_factory=list)
    requested: frozenset[str] = frozenset()
    """The interfaces with a requested run."""

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(self.times, self.now, {spec.name: spec for spec in self.specs}, self.feeders)

    def edit(self, *specs: InterfaceSpec) -> None:
        """Replace the interfaces."""
        self.scheduler.interfaces = {spec.name: spec for spec in specs}

    def tick(self, now: datetime | None = None) -> list[Start]:
        """The starts that are due now."""
        self.now = now or self.now
        starts, left = self.scheduler.tick(self.now, self.requested)
        self.left += left
        for start in starts:
            self.scheduler.started(start)
            if not self.lasting:
                self.end(start.interface)
        return starts

    def end(self, name: str, *, transient: bool = False) -> datetime | None:
        """End a run; the time of its retry, if there is one."""
        return self.scheduler.ended(name, self.now, transient=transient)

    def until(self, end: datetime) -> Iterator[tuple[datetime, str]]:
        """The starts until `end`, with a server that sleeps exactly until its next due time."""
        while self.now < end:
            for start in self.tick():
                yield self.now, start.interface
            self.now = min(self.scheduler.next_moment(self.now) or end, end)
