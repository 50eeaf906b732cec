"""Stripe's errors as failures: what is wrong, with which request, and what to do. Never with a secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from engine.connector import Failure, FailureKind
from engine.connector.installed import secret_policy
from engine.connector.secret_policy import MASK

from .retry import limit_of
from .sdk import stripe
from .transport import ConnectionFailed

_REDACTED: Final = re.compile(r"\b(?:sk|rk|pk|whsec|ek)_\w*\*[*\w]*")
"""A key as Stripe quotes it. Its last characters are the key's own."""
_PERMISSION: Final = re.compile(r"\brak_[a-z0-9_]+")
_LONGEST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Takes the secret, in whole or redacted by Stripe, out of a text. `reveal` gives the secret's text."""

    reveal: Callable[[], str]

    def __call__(self, text: str) -> str:
        """The text without anything that is, or looks like, a key; cut at 1,000 characters."""
        known = text.replace(self.reveal(), MASK)
        return _REDACTED.sub(MASK, secret_policy().redact(known))[:_LONGEST]


def failure_of(error: stripe.StripeError, scrub: Scrubber, *, base_url: str, key_set: str) -> Failure:
    """The failure for an error of the SDK. `key_set` names where the key is configured, for hints."""
    if isinstance(error, ConnectionFailed):
        return _no_answer(error, scrub, base_url)
    detail = _detail(error)
    message = scrub(str(detail.get("message") or error.user_message or f"Stripe answered {error.http_status}"))
    code = _text(detail.get("code"))
    permission = _PERMISSION.search(message)
    kind = _kind(error, code, permission is not None)
    return Failure(
        kind=kind,
        message=message,
        hint=_hint(kind, message, permission.group() if permission else None, key_set),
        type=_text(detail.get("type")),
        code=code,
        param=_text(detail.get("param")),
        status=error.http_status,
        request_id=_text(error.request_id),
        permission=permission.group() if permission else None,
    )


def _detail(error: stripe.StripeError) -> dict[str, Any]:
    body = error.json_body
    detail = body.get("error") if isinstance(body, dict) else None
    return detail if isinstance(detail, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _no_answer(error: ConnectionFailed, scrub: Scrubber, base_url: str) -> Failure:
    if error.timed_out:
        return Failure(
            FailureKind.TIMEOUT,
            f"{base_url}: {scrub(error.reason)}",
            "raise `timeout_ms`, or see whether the network or Stripe is slow (status.stripe.com)",
        )
    return Failure(
        FailureKind.UNREACHABLE,
        f"{base_url}: {scrub(error.reason)}",
        "check the network, a proxy or firewall, and `base_url`",
    )


def _kind(error: stripe.StripeError, code: str | None, names_permission: bool) -> FailureKind:
    status = error.http_status or 0
    if status == 401 or code in ("api_key_expired", "platform_api_key_expired", "secret_key_required"):
        return FailureKind.KEY
    if code in ("livemode_mismatch", "testmode_charges_only") or isinstance(error, stripe.AuthenticationError):
        return FailureKind.KEY
    if status == 403 or names_permission or isinstance(error, stripe.PermissionError):
        return FailureKind.PERMISSION
    if limit_of(error) is not None:
        return FailureKind.RATE
    if status == 404 or code == "resource_missing":
        return FailureKind.MISSING
    if status >= 500 or status in (409, 429):
        return FailureKind.PROVIDER
    return FailureKind.REQUEST if 400 <= status < 500 else FailureKind.ANSWER


def _hint(kind: FailureKind, message: str, permission: str | None, key_set: str) -> str | None:
    folded = message.lower()
    if kind is FailureKind.KEY:
        if "test mode" in folded or "live mode" in folded:
            return f"the key and the objects belong to different modes: compare `mode` with the key in {key_set}"
        if "expired" in folded:
            return f"the key has expired or was rolled: put the new one into {key_set}"
        return f"put a valid secret or restricted key into {key_set} (dashboard: Developers, API keys)"
    if kind is FailureKind.PERMISSION and permission is not None:
        return f"grant `{permission}` to the restricted key (dashboard: Developers, API keys, edit the key)"
    if kind is FailureKind.PERMISSION:
        return "the key may not do this here: grant the permission, or check `accounts`"
    if kind is FailureKind.RATE:
        return "lower `limits.requests_per_second`, or run when nothing else uses this account"
    if kind is FailureKind.PROVIDER:
        return "Stripe has a problem (status.stripe.com): run again, what was committed is not read again"
    return None
