"""Serving a sandbox on loopback until it is told to stop."""

from __future__ import annotations

import json
import socket
import sys
import threading
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import TRANSPORT, make_app
from .options import SandboxOptions


class _Protocol(H11Protocol):
    """Lets the application see the connection that a request came in on."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
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


def serve(options: SandboxOptions) -> None:
    """Serve until interrupted, or until standard input ends if the options say so.

    When it is ready, one line of JSON goes to standard output: `{"url": …, "key": …, "account": …}`. OSError if the
    address cannot be bound.
    """
    listener = socket.create_server((options.host, options.port), backlog=256)
    host, port = listener.getsockname()[:2]
    app = make_app(options)
    server = make_server(app)
    ready = {"url": f"http://{host}:{port}", "key": options.keys[0].key, "account": app.state.sandbox.world.platform}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    if options.until_stdin_closes:
        threading.Thread(target=_wait_for_end, args=(server,), daemon=True).start()
    server.run(sockets=[listener])


def _wait_for_end(server: uvicorn.Server) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    server.should_exit = True
