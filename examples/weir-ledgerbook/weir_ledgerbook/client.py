"""Requests to Ledgerbook: authorised, repeated where that helps, and failures in Weir's terms."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from engine.connector import EVENT_GAP, ConnectorError, Failure, FailureKind, Secret
from engine.connector.installed import secret_policy
from engine.connector.secrets import resolve_secret

from .catalogue import API_VERSION

_ADDRESS: Final = "https://api.ledgerbook.example"
_TRIES: Final = 4
_KINDS: Final = {
    401: FailureKind.KEY,
    403: FailureKind.PERMISSION,
    404: FailureKind.MISSING,
    410: FailureKind.ANSWER,
    429: FailureKind.RATE,
}
_HINTS: Final = {
    FailureKind.KEY: "put a valid key where `client_secret` of the connection points",
    FailureKind.PERMISSION: "grant the key the right to read this, under Settings, API keys",
    FailureKind.RATE: "run when fewer programs use this key",
    FailureKind.PROVIDER: "run again later: what was committed is not read again",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its JSON, its bytes, its id, and whether it repeats that of an earlier request."""

    body: dict[str, Any]
    raw: bytes
    request_id: str | None = None
    replayed: bool = False


@dataclass(slots=True)
class Client:
    """Requests of one connection. `sent`, `retries` and `limited` count them."""

    secret: Secret
    address: str
    seconds: float
    pause: float = 0.2
    sent: int = 0
    retries: int = 0
    limited: int = 0
    by_table: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Client:
        """The client of a connection's config. `ConnectorError` when its secret cannot be had."""
        kind, argument = config["secret"]
        base = Path(config["base"]) if config.get("base") else None
        secret = resolve_secret(kind, argument, os.environ, base=base)
        if isinstance(secret, Failure):
            raise ConnectorError(secret)
        address = str(config.get("base_url") or _ADDRESS).rstrip("/")
        return cls(secret, address, (config.get("timeout_ms") or 30_000) / 1_000, config.get("pause", 0.2))

    @property
    def livemode(self) -> bool:
        """Whether the key is one of live mode."""
        return self.secret.reveal().startswith("lb_live_")

    def get(self, path: str, table: str, **params: object) -> Answer:
        """Ask for something; the request counts for `table`. Raises `ConnectorError`."""
        given = {name: str(value) for name, value in params.items() if value is not None}
        self.by_table[table] = self.by_table.get(table, 0)
        before = self.sent
        try:
            return self.send("GET", f"{path}?{urlencode(given)}" if given else path, table=table)
        finally:
            self.by_table[table] += self.sent - before

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        table: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """Send a request, several times where it may help. `key` is an idempotency key. Raises `ConnectorError`."""
        for attempt in range(1, _TRIES + 1):
            self.sent += 1
            try:
                return self._send(method, path, body, key)
            except ConnectorError as error:
                failure = error.failure
                self.limited += failure.kind is FailureKind.RATE
                passing = failure.kind in (FailureKind.RATE, FailureKind.PROVIDER, FailureKind.UNREACHABLE)
                if not passing or attempt == _TRIES:
                    raise ConnectorError(_of_table(failure, table)) from None
            self.retries += 1
            time.sleep(self.pause * 2**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None, key: str | None) -> Answer:
        headers = {"Authorization": f"Bearer {self.secret.reveal()}", "Ledgerbook-Version": API_VERSION}
        headers |= {"Content-Type": "application/json"} if body is not None else {}
        headers |= {"Idempotency-Key": key} if key is not None else {}
        data = json.dumps(body).encode() if body is not None else None
        request = Request(f"{self.address}{path}", data, headers, method=method)  # noqa: S310 - http is for tests
        try:
            with urlopen(request, timeout=self.seconds) as reply:  # noqa: S310
                raw = reply.read()
                request_id = reply.headers.get("Request-Id")
                return Answer(json.loads(raw), raw, request_id, reply.headers.get("Idempotent-Replayed") == "true")
        except HTTPError as error:
            raise ConnectorError(self._failure(error)) from None
        except TimeoutError:
            hint = "raise `timeout_ms` of the connection"
            raise ConnectorError(self._unreached(FailureKind.TIMEOUT, "no answer in time", hint)) from None
        except (OSError, HTTPException) as error:
            reason = f"cannot be reached ({type(error).__name__})"
            hint = "check the network and `base_url`"
            raise ConnectorError(self._unreached(FailureKind.UNREACHABLE, reason, hint)) from None
        except ValueError:
            raise ConnectorError(self._unreached(FailureKind.ANSWER, "the answer is no JSON", None)) from None

    def _failure(self, error: HTTPError) -> Failure:
        try:
            detail = json.loads(error.read())["error"]
        except (ValueError, KeyError, TypeError, OSError):
            detail = {}
        kind = _KINDS.get(error.code, FailureKind.PROVIDER if error.code >= 500 else FailureKind.REQUEST)
        message = str(detail.get("message") or f"Ledgerbook answered {error.code}")
        return Failure(
            kind,
            secret_policy().redact(message.replace(self.secret.reveal(), "***")),
            _HINTS.get(kind),
            code=EVENT_GAP if error.code == 410 else detail.get("code"),
            param=detail.get("param"),
            status=error.code,
            request_id=error.headers.get("Request-Id"),
            permission=detail.get("permission"),
        )

    def _unreached(self, kind: FailureKind, reason: str, hint: str | None) -> Failure:
        return Failure(kind, f"{self.address}: {reason}", hint)


def _of_table(failure: Failure, table: str | None) -> Failure:
    return Failure(**{**{name: getattr(failure, name) for name in failure.__slots__}, "table": table})
