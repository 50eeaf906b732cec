"""Which interfaces are to start now: pure decisions over a clock that is given. It starts nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from engine.spec import InterfaceSpec, ScheduleSpec

from .timetable import jitter_of, next_due

_SECOND: Final = timedelta(seconds=1)
_LONGEST_PAUSE: Final = timedelta(days=1)


class DueTimes(Protocol):
    """Remembers when interfaces are due, for all servers of one state."""

    def due(self) -> Mapping[str, datetime]:
        """By interface, when it is due."""
        ...

    def move_due(self, interface: str, before: datetime | None, after: datetime) -> bool:
        """Put the due time from `before` (None: there is none) to `after`; False when another server has moved it."""
        ...


@dataclass(frozen=True, slots=True)
class Start:
    """An interface is to start now: because of its schedule (`due`), or to try again what failed (`attempt` > 0)."""

    interface: str
    due: datetime
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """A start that was due and was left out, and why."""

    interface: str
    due: datetime
    reason: str


@dataclass(slots=True)
class _State:
    running: bool = False
    waiting: datetime | None = None
    """Due while it ran, with `on_overlap: wait`."""
    attempt: int = 0
    again: datetime | None = None
    due: datetime | None = None
    """The due time of the run that goes on or is tried again."""
    since: datetime | None = None
    """Since when it is looked at: None while it is gone, is not active or has no schedule."""
    known: tuple[ScheduleSpec, datetime] | None = None
    """A schedule and a due time that was found to be one of its own."""


@dataclass(slots=True)
class Scheduler:
    """Ask it with `tick` as often as you like, and tell it what has started and ended. Not for several threads.

    `feeders` says by interface whose tables it reads: it does not start while one of those runs or is to start now.
    What happened before `begun` may have been missed: see `missed` of a schedule.
    """

    times: DueTimes
    begun: datetime
    interfaces: Mapping[str, InterfaceSpec] = field(default_factory=dict)
    feeders: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _states: dict[str, _State] = field(default_factory=dict)
    _ticked: bool = False

    def tick(self, now: datetime, requested: frozenset[str] = frozenset()) -> tuple[list[Start], list[Left]]:
        """What is to start now, and what is left out. Each is told once. `requested` are the interfaces that run, or
        wait for their turn, because somebody has asked for it."""
        due = dict(self.times.due())
        starts: list[Start] = []
        left: list[Left] = []
        began, self._ticked = self._ticked, True
        self._rest()
        for name, spec in self.interfaces.items():
            if spec.schedule is None or not spec.is_active:
                continue
            state = self._states.setdefault(name, _State())
            state.since = state.since or (now if began else self.begun)
            going_on = state.running or (name in requested and spec.concurrency.on_overlap == "skip")
            if state.again is not None and state.again <= now and not going_on:
                starts.append(Start(name, state.due or now, state.attempt))
                continue
            try:
                self._look(name, spec, state, due.get(name), now, starts, left, going_on=going_on)
            except Exception:
                if not starts and not left:
                    raise
                break  # what was taken already is taken for good: it starts, and the trouble comes again
        return self._without_fed(starts, requested), left

    def next_moment(self, now: datetime) -> datetime | None:
        """When something will be due, if nothing happens before; None when nothing will."""
        due = self.times.due()
        known = [due[name] + self._jitter(name, due[name]) for name in self.interfaces if name in due]
        known += [state.again for state in self._states.values() if state.again is not None]
        return min((moment for moment in known if moment > now), default=None)

    def _jitter(self, name: str, due: datetime) -> timedelta:
        schedule = self.interfaces[name].schedule
        return jitter_of(schedule, name, due) if schedule is not None else timedelta()

    def started(self, start: Start) -> None:
        """It has started."""
        state = self._states.setdefault(start.interface, _State())
        state.running, state.again, state.waiting = True, None, None
        state.due, state.attempt = start.due, start.attempt

    def dropped(self, start: Start) -> None:
        """It was refused, and is not asked for again before it is due the next time."""
        state = self._states.setdefault(start.interface, _State())
        state.waiting, state.again, state.attempt = None, None, 0

    def ended(self, interface: str, now: datetime, *, transient: bool) -> datetime | None:
        """It has ended; `transient`: for a reason that may pass. When it is tried again, if it is."""
        state = self._states.setdefault(interface, _State())
        state.running = False
        spec = self.interfaces.get(interface)
        if not transient or spec is None or state.attempt >= spec.retry.times:
            state.attempt, state.again = 0, None
            return None
        pause = max(spec.retry.wait, min(spec.retry.wait * 2**state.attempt, _LONGEST_PAUSE))
        state.again = now + pause
        state.attempt += 1
        return state.again

    def _look(
        self,
        name: str,
        spec: InterfaceSpec,
        state: _State,
        due: datetime | None,
        now: datetime,
        starts: list[Start],
        left: list[Left],
        *,
        going_on: bool,
    ) -> None:
        schedule = spec.schedule
        if schedule is None:
            return
        if due is None or not _is_of(schedule, due, now, state):
            self.times.move_due(name, due, next_due(schedule, now))
            return
        if state.waiting is not None and not going_on:
            starts.append(Start(name, state.waiting))
            return
        if now < due + jitter_of(schedule, name, due):
            return
        if not self.times.move_due(name, due, next_due(schedule, now, due)):
            return  # another server has it
        if due < (state.since or self.begun) and schedule.missed == "skip":
            left.append(Left(name, due, "nothing could start then, and `missed: skip` says not to make up for it"))
        elif going_on:
            if spec.concurrency.on_overlap == "wait":
                state.waiting = due
            else:
                left.append(Left(name, due, "a run of it still goes on"))
        else:
            starts.append(Start(name, due))

    def _rest(self) -> None:
        """Forget what was to happen with interfaces that are gone, not active or without a schedule."""
        for name, state in self._states.items():
            spec = self.interfaces.get(name)
            if spec is None or spec.schedule is None or not spec.is_active:
                state.since = state.waiting = state.again = state.known = None
                state.attempt = 0

    def _without_fed(self, starts: list[Start], requested: frozenset[str]) -> list[Start]:
        """Those whose feeders are at rest; the others are put back, and are due as soon as these have ended.

        Of interfaces that feed each other the first one goes first.
        """
        waiting = {start.interface for start in starts}
        going = {name for name, state in self._states.items() if state.running} | requested
        ready = []
        for start in starts:
            feeders = self._fed_by(start.interface) - {start.interface}
            before = {name for name in feeders & waiting if start.interface not in self._fed_by(name)}
            if before or feeders & going:
                self._states[start.interface].waiting = start.due
            else:
                ready.append(start)
                going.add(start.interface)
        return ready

    def _fed_by(self, name: str) -> set[str]:
        """The interfaces whose tables this one reads, directly or through others."""
        found: set[str] = set()
        open_names: list[str] = [name]
        while open_names:
            for other in self.feeders.get(open_names.pop(), ()):
                if other not in found:
                    found.add(other)
                    open_names.append(other)
        return found


def _is_of(schedule: ScheduleSpec, due: datetime, now: datetime, state: _State) -> bool:
    """Whether the due time is one that the schedule has. It is not when the schedule was edited since."""
    if state.known == (schedule, due):
        return True
    every = schedule.every
    fits = due <= now + every if every is not None else next_due(schedule, due - _SECOND) == due
    if fits:
        state.known = (schedule, due)
    return fits


def feeders_of(steps: Iterable[tuple[str, str, tuple[str, ...]]]) -> dict[str, frozenset[str]]:
    """By interface, those that its steps wait for. A step is (id, interface, ids of the steps before it)."""
    listed = list(steps)
    owner = {step: interface for step, interface, _ in listed}
    found: dict[str, set[str]] = {}
    for _, interface, before in listed:
        for each in before:
            other = owner.get(each)
            if other is not None and other != interface:
                found.setdefault(interface, set()).add(other)
    return {name: frozenset(others) for name, others in found.items()}
