"""The state of one rate limit: the current rate, when the next request is due, and what rejections have shown."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import Final

BURST_SECONDS: Final = 0.08
"""Seconds of a rate that may be sent as one burst after a pause."""
SHORT_HOLD: Final = 0.05
"""Seconds for which all clients wait after a rejection without `Retry-After`; doubles with each further rejection
until a request succeeds."""
CALM: Final = 0.3
"""Rejections within this time after one that counted belong to the same burst."""
SPAN: Final = 4.0
"""The longest span, in seconds, over which answers are measured; then the older half is dropped."""

_LONGEST_SHORT_HOLD: Final = 0.8
_MOST_BARREN: Final = 10.0
_LEAST: Final = 0.5
_SHORT: Final = 0.2
_LONG_HOLD: Final = 0.5
_LONG_ENOUGH: Final = 1.0
_HALF: Final = 0.5
_BELOW: Final = 0.99
_NEAR: Final = 0.7
_BACK: Final = 0.97
_RAMP: Final = 1.4
"""Correction of the first measurement, which mostly covers a ramp-up with less demand than the limit allows."""
_SEEK: Final = 0.4
_SEEK_ASKED: Final = 0.2
_LESS: Final = 2.0
_LESS_ASKED: Final = 8.0
_SETTLED: Final = 0.06
_GAIN: Final = 0.01
_LARGEST_GAIN: Final = 0.5
_DOUBLINGS: Final = 0.5
_PATIENCE: Final = 2.0
_MIDDLE_PATIENCE: Final = 8.0
_LONG_PATIENCE: Final = 40.0


@dataclass(slots=True)
class Bucket:
    """One limit as all processes see it; times are seconds of the machine's monotonic clock.

    `rate` is learned from rejections (infinite: unknown). `next` is when the request after all granted ones is due,
    `held` the time until which no request may be sent. `epoch` counts the rejections that counted: a grant from before
    one of them is void and must be requested again. `room` is how many requests of one client may be open at the same
    time (infinite: unknown), learned at `room_at`.

    The rate is measured: between two rejections the provider lets through as much as its limit allows, except for
    capacity that expired while all clients waited or while demand was lower. `answers` counts successes since `began`;
    for `idle` seconds of that time all clients waited or none asked. While the limit is poorly known, the rate climbs
    right after a rejection, by the fraction `gain` per second, half as fast after each further one. Once it is well
    known, the rate stays slightly below it, and a higher one is probed after `patience` seconds. `peak` is the highest
    rate without rejections, `barren` the number of holds since the last success.
    """

    rate: float = inf
    next: float = 0.0
    held: float = 0.0
    epoch: int = 0
    room: float = inf
    room_at: float = 0.0
    peak: float = 0.0
    rejected: float = -inf
    patience: float = 0.0
    gain: float = 0.0
    began: float = 0.0
    answers: float = 0.0
    idle: float = 0.0
    barren: float = 0.0

    def begin(self, rate: float, now: float) -> None:
        """Start at this rate, from which a higher one is probed later. No effect on a bucket in use."""
        if self.rejected == -inf:
            self.rate, self.peak, self.rejected = rate, rate, now
            self.patience, self.gain = _PATIENCE, _GAIN

    def reserve(self, now: float, most: float) -> float:
        """Grant the next request, and return the time at which it may be sent. `most` is the highest rate allowed."""
        rate = self.rate if self.rate < most else most
        if rate == inf:
            return self.held if self.held > now else now
        interval = 1 / rate
        burst = int(rate * BURST_SECONDS)
        start = self.next - burst * interval + interval if burst > 1 else self.next
        if start < self.held:
            start = self.held
        if start <= now:
            start = now
            if 0 < self.next < now and self.rate < inf:  # unused capacity is no evidence about the limit
                self.idle += now - max(self.next, self.began)
        elif self.rate < inf:
            self._grow(now, most)
        self.next = (self.next if self.next > start else start) + interval
        return start

    def answered(self, count: int, now: float) -> None:
        """Count requests that succeeded; a negative count corrects an earlier one."""
        self._forget(now)
        self.answers = max(0.0, self.answers + count)
        if count > 0:
            self.barren = 0.0

    def reject(self, now: float, most: float, pause: float, *, asked: bool) -> None:
        """A request was rejected for its rate. Hold for `pause` seconds; `asked`: the provider named that time."""
        counts = now - self.rejected >= CALM and now >= self.held
        if not asked:
            pause = min(max(pause, SHORT_HOLD), _LONGEST_SHORT_HOLD, SHORT_HOLD * 2**self.barren)
        if counts:
            self._forget(now)
            self._learn(now, most, asked=asked)
        if now >= self.held:
            self.barren = min(_MOST_BARREN, self.barren + 1)
        self.hold(now + pause, now, most, again=counts)

    def hold(self, until: float, now: float, most: float, *, again: bool = False) -> None:
        """Send nothing before `until`, then one request at a time. `again`: void all grants in any case."""
        if until <= self.held and not again:
            return
        rate = min(self.rate, most)
        self.epoch += 1
        self.idle += max(0.0, until - max(self.held, now))
        self.held = max(self.held, until)
        self.next = self.held + (max(0, int(rate * BURST_SECONDS) - 1) / rate if rate < inf else 0.0)

    def _learn(self, now: float, most: float, *, asked: bool) -> None:
        """Derive a new rate from the measurement; after too short a time, only restart the measurement."""
        peaceful = self.patience > 0 and now - self.rejected > self.patience
        self.rejected = now
        span = now - self.began
        if self.answers < 2 or (self.gain and span < CALM):
            return
        present = min(self.rate, most)
        if self.patience and span < _LONG_ENOUGH:
            self.rate = max(_LEAST, _BACK * present)
            return
        through = self._through(span) * (1 if asked or self.gain else _RAMP)
        through = min(present, max(_LEAST, through, _HALF * present if self.gain else 0.0))
        well_known = self.patience > 0
        self._doubt(asked=asked, near=through >= _NEAR * present)
        if well_known and through > self.peak:  # capacity saved up before has contributed
            through = (through + self.peak) / 2
        if peaceful:  # a rate that held for this long is kept unless the next rejection comes soon
            through = max(through, _BACK * self.peak)
        self.peak = through
        self.rate = max(_LEAST, through * _BELOW) if self.patience else through
        self.began = now
        self.answers = self.idle = 0.0

    def _through(self, span: float) -> float:
        """Successes per second in this span. After a long hold, unused capacity is assumed to have expired; otherwise
        half of it."""
        busy = max(_SHORT, span - self.idle)
        forgotten = self.idle >= _LONG_HOLD and busy >= _LONG_ENOUGH
        return self.answers / (busy if forgotten else sqrt(max(_SHORT, span) * busy))

    def _doubt(self, *, asked: bool, near: bool) -> None:
        """Update how well the limit is known, and so how soon and how fast a higher rate is probed."""
        if not self.gain or (self.patience and not near):
            self.gain, self.patience = _SEEK_ASKED if asked else _SEEK, 0.0
        elif not self.patience:
            self.gain /= _LESS_ASKED if asked else _LESS
        if self.gain <= _SETTLED:
            first, longest = (_MIDDLE_PATIENCE, _LONG_PATIENCE) if asked else (_PATIENCE, _MIDDLE_PATIENCE)
            self.patience = min(longest, max(first, self.patience * 2))
            self.gain = _GAIN

    def _forget(self, now: float) -> None:
        """Drop the older half of a long measurement."""
        passed = now - self.began
        if passed > 3 * SPAN:
            self.began = now
            self.answers = self.idle = 0.0
        elif passed > SPAN:
            self.began = now - passed / 2
            self.answers /= 2
            self.idle /= 2

    def _grow(self, now: float, most: float) -> None:
        """Raise the rate. Called for each request that had to wait, so an unused rate stays as it is."""
        peace = now - self.rejected - self.patience
        if peace > 0:
            self.rate += min(_LARGEST_GAIN, self.gain * 2 ** min(peace * _DOUBLINGS, 30.0))
        if self.rate >= most:
            self.rate = inf
