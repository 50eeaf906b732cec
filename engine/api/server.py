"""Serving the API on an address, on a thread of its own."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn


@dataclass(frozen=True, slots=True)
class Listening:
    """A server that answers. `close` ends it: requests that go on get a moment to end."""

    host: str
    port: int
    tls: bool
    server: uvicorn.Server
    thread: threading.Thread

    @property
    def url(self) -> str:
        """Its address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def close(self) -> None:
        """Stop."""
        self.server.should_exit = True
        self.thread.join()


def listen(app: Any, host: str, port: int, certificate: Path | None = None, key: Path | None = None) -> Listening:
    """Serve the application from now on. OSError (ssl.SSLError) when the address or the certificate cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    config = uvicorn.Config(
        app,
        interface="asgi3",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
        limit_concurrency=500,
        h11_max_incomplete_event_size=64 * 1024,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    config.load()
    # Of a socket that says it is TCP, asyncio sends an answer's second part without waiting for the client's ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(256)
    except OSError:
        listener.close()
        raise
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="http", daemon=True)
    bound = listener.getsockname()
    thread.start()
    return Listening(str(bound[0]), int(bound[1]), certificate is not None, server, thread)
