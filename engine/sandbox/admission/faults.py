"""Faults on request: what should go wrong, how often or for which requests."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from itertools import count
from random import Random
from typing import Any, Final, Literal, get_args

Kind = Literal["latency", "error", "rate_limit", "lock", "reset", "slow_body", "malformed", "truncated"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)

REASONS: Final = ("global-rate", "global-concurrency", "endpoint-rate", "endpoint-concurrency", "resource-specific")


@dataclass(slots=True)
class Fault:
    """Something that goes wrong.

    `latency` waits `seconds` plus up to `jitter`, then goes on. `error` answers `status`. `rate_limit` answers 429 with
    `reason` and `retry_after`; `lock` a 429 without a reason. `reset` cuts the connection, `truncated` cuts it in the
    middle of the body, `slow_body` stretches the body over `seconds`, `malformed` breaks the JSON.

    `method` and `path` (a shell pattern) say which requests it meets; of these `skip` go by first, then it strikes
    `times` times (None: always) with probability `rate`. With `applied` the request is carried out before it fails;
    an `error` under an idempotency key is stored and repeated.
    """

    kind: Kind
    method: str = "*"
    path: str = "*"
    times: int | None = None
    skip: int = 0
    rate: float = 1.0
    seconds: float = 0.0
    jitter: float = 0.0
    status: int = 500
    reason: str = "global-rate"
    retry_after: int = 0
    applied: bool = False
    id: int = 0
    struck: int = 0


@dataclass(slots=True)
class Faults:
    """The faults that are set. `random` decides about rates and jitter: the same seed, the same faults."""

    random: Random
    active: list[Fault] = field(default_factory=list)
    _ids: Any = field(default_factory=lambda: count(1))

    def add(self, given: dict[str, Any]) -> Fault:
        """Set a fault from its JSON form; ValueError says what is wrong with it."""
        known = {each.name for each in fields(Fault)} - {"id", "struck"}
        unknown = sorted(set(given) - known)
        if unknown:
            raise ValueError(f"unknown fields {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        if given.get("kind") not in KINDS:
            raise ValueError(f"`kind` must be one of {', '.join(KINDS)}")
        if given.get("reason", REASONS[0]) not in REASONS:
            raise ValueError(f"`reason` must be one of {', '.join(REASONS)}")
        fault = Fault(**given, id=next(self._ids))
        self.active.append(fault)
        return fault

    def remove(self, identifier: int | None) -> None:
        """Take back one fault, or all."""
        self.active = [fault for fault in self.active if identifier is not None and fault.id != identifier]

    def strike(self, method: str, path: str) -> list[Fault]:
        """The faults that this request meets, in the order in which they were set."""
        return [fault for fault in self.active if self._meets(fault, method, path)]

    def _meets(self, fault: Fault, method: str, path: str) -> bool:
        if fault.method not in ("*", method) or not fnmatchcase(path, fault.path):
            return False
        if fault.skip > 0:
            fault.skip -= 1
            return False
        if fault.times is not None and fault.struck >= fault.times:
            return False
        if fault.rate < 1.0 and self.random.random() >= fault.rate:
            return False
        fault.struck += 1
        return True
