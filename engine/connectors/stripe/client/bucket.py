"""What is known of one limit: the rate that is kept now, when the next request may go, and what rejections taught."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, sqrt
from typing import Final

BURST_SECONDS: Final = 0.08
"""How much of a rate may be caught up at once after a pause."""
SHORT_HOLD: Final = 0.05
"""Seconds for which everybody waits after a rejection that does not say how long."""
CALM: Final = 0.2
"""Rejections so shortly after one that counted are its echo."""
SPAN: Final = 1.0
"""Seconds over which answers are measured: what is older weighs less and less."""

_OVER_AND_DONE: Final = 3 * SPAN
_LEAST: Final = 0.5
_BELOW: Final = 0.985
_NEAR: Final = 0.7
_HURRY: Final = 2.0
_EASE: Final = 0.5
_BACK: Final = 0.97
_STEP: Final = 0.01
_LARGEST_STEP: Final = 0.5
_SHORT_PATIENCE: Final = 0.5
_PATIENCE: Final = 2.0
_MIDDLE_PATIENCE: Final = 8.0
_LONG_PATIENCE: Final = 30.0


@dataclass(slots=True)
class Bucket:
    """One limit as all processes know it; times are seconds of the machine's monotonic clock.

    `rate` is what rejections taught (infinite: nothing). `next` is the moment at which the request after all granted
    ones is due, `held` the moment until which nobody may go. `epoch` counts the rejections that counted: whoever was
    granted a moment before one of them asks anew. `room` is how many requests of one client may be open at once
    (infinite: unknown), learned at `room_at`.

    The rate is found by measuring. Between two rejections the provider lets through what its limit is, unless it
    forgot some while everybody was held: so the limit lies between the `answers` by the whole time and those by the
    time without the holds (`idle`). The rate goes on in the middle, a little lower, and after a while of peace it is
    tried whether there is more.
    """

    rate: float = inf
    next: float = 0.0
    held: float = 0.0
    epoch: int = 0
    room: float = inf
    room_at: float = 0.0
    peak: float = 0.0
    rejected: float = -inf
    patience: float = _PATIENCE
    began: float = 0.0
    measured: float = 0.0
    answers: float = 0.0
    idle: float = 0.0

    def begin(self, rate: float, now: float) -> None:
        """Start with this rate, from where more is tried after a while; unless the bucket is in use already."""
        if self.rejected == -inf:
            self.rate, self.peak, self.rejected = rate, rate, now

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
        elif self.rate < inf:
            self._grow(now, most)
        self.next = (self.next if self.next > start else start) + interval
        return start

    def answered(self, count: int, now: float) -> None:
        """So many requests were let through; fewer than none, if some that seemed so were not."""
        self._decay(now)
        self.answers = max(0.0, self.answers + count)

    def reject(self, now: float, most: float, pause: float, *, asked: bool) -> None:
        """The provider found the rate too high. It is held for `pause`, if the provider `asked` for that."""
        counts = now - self.rejected >= CALM and now >= self.held
        if counts:
            self._decay(now)
            self._learn(now, most, _LONG_PATIENCE if asked else _MIDDLE_PATIENCE)
        self.hold(now + (pause if asked else min(pause, SHORT_HOLD)), now, most, again=counts)

    def hold(self, until: float, now: float, most: float, *, again: bool = False) -> None:
        """Nobody may go before `until`, and then one by one. `again`: who was granted a moment asks anew anyhow."""
        if until <= self.held and not again:
            return
        rate = min(self.rate, most)
        self.epoch += 1
        self.idle += exp(min(60.0, (until - max(self.held, now)) / SPAN)) - 1 if until > self.held else 0.0
        self.held = max(self.held, until)
        self.next = self.held + (max(0, int(rate * BURST_SECONDS) - 1) / rate if rate < inf else 0.0)

    def _learn(self, now: float, most: float, longest: float) -> None:
        """Take a new rate from what was measured; too short a time says nothing, and only starts the measuring."""
        if now - self.began >= CALM:
            present = min(self.rate, most)
            through = max(_LEAST, min(present, self._through(now)))
            near = through >= _NEAR * present
            if near and present > self.peak:  # the attempt at more has failed: back to what went well
                self.peak = max(min(through, self.peak), _BACK * through)
            else:
                self.peak = through
            longer = min(longest, max(_PATIENCE, self.patience * 2))
            self.patience = longer if near else _SHORT_PATIENCE
            self.rate = max(_LEAST, self.peak * _BELOW)
        self.rejected = self.began = now
        self.answers = self.idle = 0.0

    def _through(self, now: float) -> float:
        """Answers a second, of late."""
        whole = max(1e-3, SPAN * (1 - exp(-(now - self.began) / SPAN)))
        busy = max(1e-3, whole - self.idle)
        return self.answers / sqrt(whole * busy)

    def _decay(self, now: float) -> None:
        passed = now - self.measured
        if passed > _OVER_AND_DONE:
            self.began = self.measured = now
            self.answers = self.idle = 0.0
        elif passed > 0:
            kept = exp(-passed / SPAN)
            self.answers *= kept
            self.idle *= kept
            self.measured = now

    def _grow(self, now: float, most: float) -> None:
        """Called for each request that had to wait, so a rate that nobody needs stays as it is."""
        peace = now - self.rejected - self.patience
        if peace > 0:
            doubled = peace * (_HURRY if self.patience == _SHORT_PATIENCE else _EASE)
            self.rate += min(_LARGEST_STEP, _STEP * 2 ** min(doubled, 30.0))
        if self.rate >= most:
            self.rate = inf
