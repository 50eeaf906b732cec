"""Fault injection: what fails, how often, and for which requests."""

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
    """A fault to inject.

    `latency` waits `seconds` plus up to `jitter`. `error` responds with `status`, `rate_limit` with 429,
    `reason` and `retry_after`, `lock` with 429 without a reason. `reset` cuts the connection, `truncated` cuts it in
    the middle of the body, `slow_body` stretches the body over `seconds`, `malformed` breaks the JSON.

    `method` and `path` (a shell pattern) select requests. The first `skip` of them pass; then the fault strikes `times`
    times (None: always) with probability `rate`. With `applied` the request is executed before it fails. An `error`
    under an idempotency key is stored and replayed.
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
    """The active faults. `random` decides rates and jitter; reproducible by seed."""

    random: Random
    active: list[Fault] = field(default_factory=list)
    _ids: Any = field(default_factory=lambda: count(1))

    def add(self, given: dict[str, Any]) -> Fault:
        """Add a fault from its JSON form. ValueError with the reason if it is invalid."""
        known = {each.name for each in fields(Fault)} - {"id", "struck"}
        unknown = sorted(set(given) - known)
        if unknown:
            raise ValueError(f"unknown fields {', '.join(unknown)}; valid fields: {', '.join(sorted(known))}")
        if given.get("kind") not in KINDS:
            raise ValueError(f"`kind` must be one of {', '.join(KINDS)}")
        if given.get("reason", REASONS[0]) not in REASONS:
            raise ValueError(f"`reason` must be one of {', '.join(REASONS)}")
        fault = Fault(**given, id=next(self._ids))
        self.active.append(fault)
        return fault

    def remove(self, identifier: int | None) -> None:
        """Remove one fault, or all."""
        self.active = [fault for fault in self.active if identifier is not None and fault.id != identifier]

    def strike(self, method: str, path: str) -> list[Fault]:
        """The faults that strike this request, in order of addition."""
        return [fault for fault in self.active if self._strikes(fault, method, path)]

    def _strikes(self, fault: Fault, method: str, path: str) -> bool:
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
