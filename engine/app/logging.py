"""Logs on stderr, without secrets."""

from __future__ import annotations

import base64
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from engine.connector.installed import secret_policy
from engine.connector.secret_policy import MASK


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the given secrets (as they are, URL-encoded, Base64) and without what looks like a secret."""
    for secret in secrets:
        for form in _forms(secret):
            text = text.replace(form, MASK)
    return secret_policy().redact(text)


def _forms(secret: str) -> tuple[str, ...]:
    if not secret:
        return ()
    raw = secret.encode()
    basic = (base64.b64encode(raw).decode(), base64.b64encode(raw + b":").decode())
    return (secret, quote(secret, safe=""), *basic, *(form.rstrip("=") for form in basic))


class Redactor:
    """A step of the log's pipeline that takes secrets out of every value. Secrets may be added while it works."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = [secret for secret in secrets if secret]

    def add(self, secret: str) -> None:
        """Take this one out from now on."""
        if secret:
            self._secrets.append(secret)

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return redact(value, self._secrets)
        if isinstance(value, Mapping):
            return {str(key): self._clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._clean(item) for item in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return redact(repr(value), self._secrets)


def configure_logging(level: str, redactor: Redactor, *, as_json: bool = False) -> None:
    """Send structured logs of this level and above to stderr; other libraries' logs are silenced below WARNING."""
    import structlog

    shown: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redactor,
            shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True, format="%(levelname)s %(name)s")


@contextmanager
def logged_with(**fields: object) -> Iterator[None]:
    """What this thread logs meanwhile has these fields."""
    structlog: Any = sys.modules.get("structlog")
    if structlog is None or not structlog.is_configured():
        yield
        return
    with structlog.contextvars.bound_contextvars(**fields):
        yield


def log(event: str, **fields: object) -> None:
    """Write a line at level info, if logs were asked for (`weir --log LEVEL`, or WEIR_LOG)."""
    structlog: Any = sys.modules.get("structlog")
    if structlog is not None and structlog.is_configured():
        structlog.get_logger().info(event, **fields)
