"""Failures of a provider, in the words of the provider and with what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FailureKind(StrEnum):
    """What sort of failure it is: decides the exit code and whether a retry may help."""

    UNREACHABLE = "unreachable"  # no connection, DNS, TLS
    TIMEOUT = "timeout"  # no complete answer within timeout_ms
    KEY = "key"  # missing, malformed, revoked or of another mode
    PERMISSION = "permission"  # the key may not do this: `permission` names what it lacks
    RATE = "rate"  # still rate limited after the retries
    REQUEST = "request"  # the provider calls the request wrong
    MISSING = "missing"  # the thing does not exist
    PROVIDER = "provider"  # 5xx after the retries
    ANSWER = "answer"  # an answer that cannot be used: no JSON, another shape, wrong mode or account
    GRANT = "grant"  # the connection's definition does not allow it
    BUDGET = "budget"  # the connection's read budget is spent
    SECRET = "secret"  # noqa: S105 - the secret's reference could not be resolved


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure as data (it crosses process borders as JSON). No field ever holds a secret.

    `type`, `code`, `param`, `request_id`, `status` are the provider's own; `permission` is the missing one.
    """

    kind: FailureKind
    message: str
    hint: str | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None
    status: int | None = None
    request_id: str | None = None
    permission: str | None = None
    table: str | None = None


class ConnectorError(Exception):
    """Raised inside an adapter; carries its `Failure`. It never leaves `execute_plan`."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure
