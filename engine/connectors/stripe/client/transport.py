"""The SDK's HTTP client hook over aiohttp: it keeps the bytes of an answer instead of building objects."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from typing import Any, ClassVar, Final

import aiohttp
import msgspec

from .sdk import stripe, stripe_logging

KEEP_ALIVE_SECONDS: Final = 60.0


class RawHeaders(dict[str, str]):
    """An answer's headers, names in lower case, and its whole body in `raw`."""

    __slots__ = ("raw",)
    raw: bytes


class ConnectionFailed(stripe.APIConnectionError):
    """The request got no complete answer. `timed_out`: its deadline passed first. `reason` is for people."""

    def __init__(self, reason: str, *, timed_out: bool = False) -> None:
        super().__init__(reason)  # type: ignore[no-untyped-call]
        self.reason = reason
        self.timed_out = timed_out


def silence_sdk() -> None:
    """Switch off the SDK's telemetry, which is global to the process, and its logging of parameters and bodies.

    It formats four log records per request even where no handler exists.
    """
    stripe.enable_telemetry = False
    stripe.log = None
    stripe_logging.STRIPE_LOG = None
    stripe_logging.logfmt = _nothing
    logging.getLogger("stripe").setLevel(logging.WARNING)


def _nothing(_logged: Mapping[str, object]) -> str:
    return ""


class RawTransport(stripe.HTTPClient):
    """Sends requests over a pool of kept-alive connections; each one, with its body, within `timeout` seconds.

    A good answer is handed to the SDK as `{}`, its bytes stay in the headers' `raw`; the SDK makes errors of the others
    as it always does. It never retries and never follows a redirect: the key goes to one host only.
    """

    name: ClassVar[str] = "weir"

    def __init__(self, timeout: float, connections: int) -> None:
        super().__init__()
        self._timeout = timeout
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, RawHeaders]:
        """Send one request and read the whole answer. `ConnectionFailed` when there is none."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(method, url, headers, post_data)
        except TimeoutError as error:
            raise ConnectionFailed(f"no complete answer within {self._timeout:g} s", timed_out=True) from error
        except aiohttp.ClientError as error:
            raise ConnectionFailed(_reason(error)) from error
        except (ConnectionError, OSError) as error:
            raise ConnectionFailed(type(error).__name__) from error

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any
    ) -> tuple[bytes, int, RawHeaders]:
        session = self._session or self._open()
        async with session.request(method, url, headers=headers, data=post_data, allow_redirects=False) as answer:
            body = await answer.read()
            kept = RawHeaders((name.lower(), value) for name, value in answer.headers.items())
            kept.raw = body
            return (b"{}" if 200 <= answer.status < 300 else _error(body, answer.status)), answer.status, kept

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=KEEP_ALIVE_SECONDS)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=1 << 18,
            max_line_size=16_384,
            max_field_size=16_384,
        )
        # By default aiohttp repeats a GET or a DELETE after a lost answer, past limits and counts; of a DELETE, the
        # fact that the first one may have been done would be lost.
        self._session._retry_connection = False
        return self._session

    def sleep_async(self, secs: float) -> Awaitable[None]:
        """Part of the SDK's hook; never called, because retries of the SDK are disabled."""
        return asyncio.sleep(secs)

    async def close_async(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _error(body: bytes, status: int) -> bytes:
    """The body of a bad answer, put into Stripe's form: for any other, the SDK would lose the headers."""
    try:
        if isinstance(msgspec.json.decode(body, type=dict[str, Any]).get("error"), dict):
            return body
    except msgspec.DecodeError:
        pass
    return msgspec.json.encode({"error": {"message": f"status {status} without Stripe's description of the error"}})


def _reason(error: aiohttp.ClientError) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"the name {error.host} cannot be resolved"
        case aiohttp.ClientConnectorCertificateError():
            return f"the certificate of {error.host} is not trusted"
        case aiohttp.ClientConnectorError():
            return f"cannot connect to {error.host}:{error.port}: {error.strerror or type(error.os_error).__name__}"
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError():
            return "the connection was closed before the answer was complete"
        case _:
            return type(error).__name__
