"""What is known of one limit: the rate that is kept now, when the next request may go, and what rejections taught."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import Final

BURST_SECONDS: Final = 0.08
"""How much of a rate may be caught up at once after a pause."""
SHORT_HOLD: Final = 0.05
"""Seconds for which everybody waits after a rejection that does not say how long; twice as long after each that follows
without an answer in between."""
CALM: Final = 0.3
"""Rejections so shortly after one that counted are its echo."""
SPAN: Final = 4.0
"""Seconds over which answers are measured at most; then the older half is forgotten."""

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
"""What is measured first is mostly a start, in which not as much was asked for as could have been had."""
_SEEK: Final = 0.4
_SEEK_ASKED: Final = 0.2
_LESS: Final = 2.0
_LESS_ASKED: Final = 8.0
_SETTLED: Final = 0.06
_GAIN: Final = 0.01
_LARGEST_GAIN: Final = 0.5
_DOUBLED: Final = 0.5
_PATIENCE: Final = 2.0
_MIDDLE_PATIENCE: Final = 8.0
_LONG_PATIENCE: Final = 40.0


@dataclass(slots=True)
class Bucket:
    """One limit as all processes know it; times are seconds of the machine's monotonic clock.

    `rate` is what rejections taught (infinite: nothing). `next` is the moment at which the request after all granted
    ones is due, `held` the moment until which nobody may go. `epoch` counts the rejections that counted: whoever was
    granted a moment before one of them asks anew. `room` is how many requests of one client may be open at once
    (infinite: unknown), learned at `room_at`.

    The rate is found by measuring. Between two rejections the provider lets through what its limit is, unless it
    forgot some while everybody was held, or while less was asked for. `answers` counts since `began`; for `idle`
    seconds of that time everybody was held, or nobody asked. As long as the limit is known badly, the rate climbs at
    once after a rejection, by the part `gain` a second, and half as fast after each. Then it is known well: the rate
    stays a little lower, and after `patience` it is tried whether there is more. `peak` is what went well, `barren` the
    number of holds without an answer since.
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
        """Start with this rate, from where more is tried after a while; unless the bucket is in use already."""
        if self.rejected == -inf:
            self.rate, self.peak, self.rejected = rate, rate, now
            self.patience, self.gain = _PATIENCE, _GAIN

    def reserve(self, now: float, most: float) -> float:
        """When the next request may go, which is hereby granted. `most` is the rate that is allowed at all."""
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
            if 0 < self.next < now and self.rate < inf:  # what was not asked for says nothing about the limit
                self.idle += now - max(self.next, self.began)
        elif self.rate < inf:
            self._grow(now, most)
        self.next = (self.next if self.next > start else start) + interval
        return start

    def answered(self, count: int, now: float) -> None:
        """So many requests were let through; fewer than none, if some that seemed so were not."""
        self._forget(now)
        self.answers = max(0.0, self.answers + count)
        if count > 0:
            self.barren = 0.0

    def reject(self, now: float, most: float, pause: float, *, asked: bool) -> None:
        """The provider found the rate too high. It is held for `pause`, if the provider `asked` for that."""
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
        """Nobody may go before `until`, and then one by one. `again`: who was granted a moment asks anew anyhow."""
        if until <= self.held and not again:
            return
        rate = min(self.rate, most)
        self.epoch += 1
        self.idle += max(0.0, until - max(self.held, now))
        self.held = max(self.held, until)
        self.next = self.held + (max(0, int(rate * BURST_SECONDS) - 1) / rate if rate < inf else 0.0)

    def _learn(self, now: float, most: float, *, asked: bool) -> None:
        """Take a new rate from what was measured; too short a time says nothing, and only starts the measuring."""
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
        if well_known and through > self.peak:  # what was saved up before has helped
            through = (through + self.peak) / 2
        if peaceful:  # what went well for so long goes well still, unless the next rejection comes soon
            through = max(through, _BACK * self.peak)
        self.peak = through
        self.rate = max(_LEAST, through * _BELOW) if self.patience else through
        self.began = now
        self.answers = self.idle = 0.0

    def _through(self, span: float) -> float:
        """Answers a second in this time. Where everybody was held for long, the provider is thought to have forgotten
        what was not asked for; otherwise a half of it."""
        busy = max(_SHORT, span - self.idle)
        forgotten = self.idle >= _LONG_HOLD and busy >= _LONG_ENOUGH
        return self.answers / (busy if forgotten else sqrt(max(_SHORT, span) * busy))

    def _doubt(self, *, asked: bool, near: bool) -> None:
        """How well the limit is known now, and so how soon and how fast more is tried."""
        if not self.gain or (self.patience and not near):
            self.gain, self.patience = _SEEK_ASKED if asked else _SEEK, 0.0
        elif not self.patience:
            self.gain /= _LESS_ASKED if asked else _LESS
        if self.gain <= _SETTLED:
            first, longest = (_MIDDLE_PATIENCE, _LONG_PATIENCE) if asked else (_PATIENCE, _MIDDLE_PATIENCE)
            self.patience = min(longest, max(first, self.patience * 2))
            self.gain = _GAIN

    def _forget(self, now: float) -> None:
        """Forget the older half of a long time."""
        passed = now - self.began
        if passed > 3 * SPAN:
            self.began = now
            self.answers = self.idle = 0.0
        elif passed > SPAN:
            self.began = now - passed / 2
            self.answers /= 2
            self.idle /= 2

    def _grow(self, now: float, most: float) -> None:
        """Called for each request that had to wait, so a rate that nobody needs stays as it is."""
        peace = now - self.rejected - self.patience
        if peace > 0:
            self.rate += min(_LARGEST_GAIN, self.gain * 2 ** min(peace * _DOUBLED, 30.0))
        if self.rate >= most:
            self.rate = inf
