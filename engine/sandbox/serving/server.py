"""Serves a sandbox on loopback until it is stopped."""

from __future__ import annotations

import gc
import json
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..options import SandboxOptions
from ..state import PAUSE_SECONDS, StateLock
from .app import TRANSPORT, make_app


class _Protocol(H11Protocol):
    """Exposes the connection of a request to the application and disables Nagle's algorithm."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None:  # without it the second write of a response waits 40 ms for the client's ACK
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope[TRANSPORT] = transport
            await inner(scope, receive, send)

        self.app = app


def make_server(app: Any) -> uvicorn.Server:
    """A server of this application: `run(sockets=[…])` serves until its `should_exit` is set."""
    config = uvicorn.Config(
        app,
        interface="asgi3",
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
    )
    return uvicorn.Server(config)


def serve(options: SandboxOptions, lock: StateLock | None = None) -> None:
    """Serve until interrupted or, with `until_stdin_closes`, until standard input closes. A `lock` has the state.

    Prints one line of JSON when ready: `{"url": …, "key": …, "account": …}`. OSError if the address cannot be bound,
    StateError if the state cannot be read.
    """
    listener = socket.create_server((options.host, options.port), backlog=256)
    host, port = listener.getsockname()[:2]
    gc.disable()  # a whole world is created and stays: collecting would take longer than creating it
    app = make_app(options, lock.file if lock is not None else None)
    gc.freeze()
    gc.enable()
    server = make_server(app)
    ready = {"url": f"http://{host}:{port}", "key": options.keys[0].key, "account": app.state.sandbox.world.platform}
    if lock is not None:
        lock.announce(ready)
    _print(ready)
    if options.until_stdin_closes:
        threading.Thread(target=_wait_for_end, args=(server, lock), daemon=True).start()
    server.run(sockets=[listener])


def _wait_for_end(server: uvicorn.Server, lock: StateLock | None) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    if lock is not None and not lock.close_if_unused():
        with suppress(OSError):  # the reader may be gone
            _print({"staying": True})
        while not lock.close_if_unused():
            time.sleep(PAUSE_SECONDS)
    server.should_exit = True


def _print(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
