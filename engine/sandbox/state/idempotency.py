"""Idempotency keys: replay of the first response, rejection of a different request."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ApiError
from ..options import KEY_RETENTION

LENGTH: int = 255


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A response: status, JSON and its own headers."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class IdempotencyRecord:
    """A used key: fingerprint of the request, time of first use, response once complete."""

    fingerprint: str
    first_used: int
    response: ApiResponse | None = None


class IdempotencyKeys:
    """The used keys of the last 24 hours by the sandbox's clock.

    `changed` holds the records completed since it was last cleared, by account and key.
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], IdempotencyRecord] = {}
        self.changed: dict[tuple[str, str], IdempotencyRecord] = {}

    def begin(self, account: str, key: str, fingerprint: str, now: int) -> ApiResponse | None:
        """The response to replay, or None for a new request, which must end with `finish` or `drop`.

        400 if the key was used for another request, 409 if its request is in progress.
        """
        if len(key) > LENGTH:
            raise ApiError(400, f"Idempotency keys can have up to {LENGTH} characters.", type="idempotency_error")
        entry = self._entries.get((account, key))
        if entry is not None and now - entry.first_used >= KEY_RETENTION:
            entry = None
        if entry is None:
            self._entries[account, key] = IdempotencyRecord(fingerprint, now)
            return None
        if entry.fingerprint != fingerprint:
            raise ApiError(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
                type="idempotency_error",
            )
        if entry.response is None:
            raise ApiError(
                409,
                f"There is currently another in-progress request using this Idempotent Key: {key}.",
                type="idempotency_error",
                code="idempotency_key_in_use",
                headers={"Stripe-Should-Retry": "true"},
            )
        return entry.response

    def finish(self, account: str, key: str, response: ApiResponse) -> None:
        """Store the response."""
        entry = self._entries[account, key]
        entry.response = response
        self.changed[account, key] = entry

    def restore(self, account: str, key: str, entry: IdempotencyRecord) -> None:
        """Restore a record."""
        self._entries[account, key] = entry

    def drop(self, account: str, key: str) -> None:
        """Remove the key of a request that was rejected before execution."""
        self._entries.pop((account, key), None)
