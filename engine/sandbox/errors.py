"""API errors in Stripe's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

INVALID: Final = "invalid_request_error"


@dataclass(frozen=True, slots=True)
class ApiError(Exception):
    """An error response.

    `kept` responses are stored under the request's idempotency key; validation and rate limit errors are not.
    """

    status: int
    message: str
    type: str = INVALID
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    kept: bool = False

    def body(self) -> dict[str, Any]:
        """The JSON object of the response."""
        error: dict[str, Any] = {}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        error["message"] = self.message
        if self.param is not None:
            error["param"] = self.param
        error.update(self.details)
        error["type"] = self.type
        return {"error": error}


def missing(
    kind: str, identifier: str, *, param: str = "id", in_path: bool = False, elsewhere: bool | None = None
) -> ApiError:
    """No such object: 404 if the path references it, 400 if a parameter does.

    `elsewhere` is the mode (live: True) in which an object with this id exists.
    """
    message = f"No such {kind}: '{identifier}'"
    if elsewhere is not None:
        other, this = ("live", "test") if elsewhere else ("test", "live")
        message += f"; a similar object exists in {other} mode, but a {this} mode key was used to make this request."
    return ApiError(404 if in_path else 400, message, code="resource_missing", param=param)


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """An invalid parameter."""
    return ApiError(400, message, code=code, param=param)


def refused(message: str, code: str | None = None, param: str | None = None) -> ApiError:
    """A valid request that the object's state does not allow. The response is stored under the idempotency key."""
    return ApiError(400, message, code=code, param=param, kept=True)


def card_declined(code: str, message: str, charge: str | None, details: Mapping[str, Any]) -> ApiError:
    """A payment that the card issuer declined."""
    more: dict[str, Any] = {"decline_code": code, **({"charge": charge} if charge else {}), **details}
    return ApiError(402, message, type="card_error", code="card_declined", details=more, kept=True)
