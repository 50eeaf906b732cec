"""Serving a sandbox on loopback until it is told to stop."""

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
    """Lets the application see the connection that a request came in on, and answers without delay."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None:  # an answer is two writes: without this the second waits for the client's ACK, 40 ms
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
    """Serve until interrupted, or until standard input ends if the options say so; the held world if there is one.

    When it is ready, one line of JSON goes to standard output: `{"url": …, "key": …, "account": …}`. OSError if the
    address cannot be bound, StateError if the held world cannot be read.
    """
    listener = socket.create_server((options.host, options.port), backlog=256)
    host, port = listener.getsockname()[:2]
    gc.disable()  # a whole world is made and stays: looking through it for garbage would take longer than making it
    app = make_app(options, lock.file if lock is not None else None)
    gc.freeze()
    gc.enable()
    server = make_server(app)
    ready = {"url": f"http://{host}:{port}", "key": options.keys[0].key, "account": app.state.sandbox.world.platform}
    if lock is not None:
        lock.announce(ready)
    _say(ready)
    if options.until_stdin_closes:
        threading.Thread(target=_wait_for_end, args=(server, lock), daemon=True).start()
    server.run(sockets=[listener])


def _wait_for_end(server: uvicorn.Server, lock: StateLock | None) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    if lock is not None and not lock.close_to_others():
        with suppress(OSError):  # nobody may be left to hear it
            _say({"staying": True})
        while not lock.close_to_others():
            time.sleep(PAUSE_SECONDS)
    server.should_exit = True


def _say(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
