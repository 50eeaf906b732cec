"""Idempotency keys: the first answer is repeated, another request under the same key is refused."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ApiError
from ..options import KEY_RETENTION

LENGTH: int = 255


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """An answer as it goes out: status, JSON, and the headers that belong to it."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class IdempotencyRecord:
    """A key that was used: for what, when, and the answer once there is one."""

    fingerprint: str
    moment: int
    answer: ApiResponse | None = None


class IdempotencyKeys:
    """What was answered under which key, for 24 hours by the sandbox's clock.

    `changed` holds what was answered since it was last emptied, by account and key.
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], IdempotencyRecord] = {}
        self.changed: dict[tuple[str, str], IdempotencyRecord] = {}

    def begin(self, account: str, key: str, fingerprint: str, now: int) -> ApiResponse | None:
        """The answer to repeat, or None: then the request is to be done, and `finish` or `drop` must follow.

        A 400 if the key was used for another request, a 409 if its request is still being done.
        """
        if len(key) > LENGTH:
            raise ApiError(400, f"Idempotency keys can have up to {LENGTH} characters.", type="idempotency_error")
        entry = self._entries.get((account, key))
        if entry is not None and now - entry.moment >= KEY_RETENTION:
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
        if entry.answer is None:
            raise ApiError(
                409,
                f"There is currently another in-progress request using this Idempotent Key: {key}.",
                type="idempotency_error",
                code="idempotency_key_in_use",
                headers={"Stripe-Should-Retry": "true"},
            )
        return entry.answer

    def finish(self, account: str, key: str, answer: ApiResponse) -> None:
        """Keep the answer."""
        entry = self._entries[account, key]
        entry.answer = answer
        self.changed[account, key] = entry

    def restore(self, account: str, key: str, entry: IdempotencyRecord) -> None:
        """Put back what was answered before."""
        self._entries[account, key] = entry

    def drop(self, account: str, key: str) -> None:
        """Forget a request that was refused before it began."""
        self._entries.pop((account, key), None)
