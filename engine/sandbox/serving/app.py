"""The sandbox as an ASGI application."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from ..options import SandboxOptions
from ..persistence import Persistence
from ..state import ApiResponse, StateFile
from .api import Api, ApiRequest, Delivery, clean_path
from .control import Control
from .sandbox import Sandbox

TRANSPORT = "weir.sandbox.transport"
"""The scope's key of the connection's transport, which faults can cut."""
CHUNKS = 20


def make_app(options: SandboxOptions, state: Path | None = None) -> Starlette:
    """A sandbox ready to serve. A `state` file makes it persistent; StateError if that is unusable."""
    persistence = Persistence(StateFile(state), options, time.time) if state is not None else None
    sandbox = Sandbox(options, time.monotonic, persistence)
    front = ApiApplication(Api(sandbox))
    routes: list[Any] = [Mount("/", app=front)]
    if options.control:
        routes.insert(0, Mount("/_sandbox", routes=list(Control(front.api).routes())))
    app = Starlette(routes=routes)
    app.state.sandbox = sandbox
    return app


class ApiApplication:
    """Receives API requests, waits for latency faults and delivers the responses."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        request = await _read(scope, receive)
        sandbox = self.api.sandbox
        started = time.monotonic()
        request_id = sandbox.world.request_id()
        sandbox.limiter.in_flight += 1
        try:
            delivery = await self._serve(request, request_id)
            self._note(request, request_id, delivery, started)
            await self._deliver(scope, send, request, request_id, delivery)
        finally:
            sandbox.limiter.in_flight -= 1

    async def _serve(self, request: ApiRequest, request_id: str) -> Delivery:
        admitted = self.api.admit(request, request_id)
        if isinstance(admitted, Delivery):
            return admitted
        sandbox = self.api.sandbox
        faults = sandbox.faults.strike(request.method, request.path)
        for fault in faults:
            if fault.kind == "latency":
                await asyncio.sleep(fault.seconds + _jitter(sandbox.faults.random, fault.jitter))
        delivery = self.api.respond(admitted, faults)
        delivery.struck = [fault.kind for fault in faults]
        if sandbox.options.pretty and "malformed" not in delivery.struck:
            body = msgspec.json.format(delivery.response.body, indent=2)
            delivery.response = ApiResponse(delivery.response.status, body, delivery.response.headers)
        return delivery

    def _note(self, request: ApiRequest, request_id: str, delivery: Delivery, started: float) -> None:
        sandbox = self.api.sandbox
        status = delivery.response.status
        sandbox.counts[str(status)] = sandbox.counts.get(str(status), 0) + 1
        sandbox.trace.append(
            {
                "id": request_id,
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "body": request.body.decode("utf-8", "replace"),
                "account": request.headers.get("stripe-account"),
                "version": request.headers.get("stripe-version"),
                "idempotency_key": request.headers.get("idempotency-key"),
                "status": status,
                "faults": delivery.struck,
                "seconds": round(time.monotonic() - started, 6),
                "in_flight": sandbox.limiter.in_flight,
            }
        )

    async def _deliver(
        self, scope: Scope, send: Send, request: ApiRequest, request_id: str, delivery: Delivery
    ) -> None:
        transport = scope.get(TRANSPORT)
        if delivery.cut and transport is not None:
            transport.abort()
            return
        response = delivery.response
        headers = self.api.headers(request, request_id, response)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        if delivery.half:
            await send(
                {"type": "http.response.body", "body": response.body[: len(response.body) // 2], "more_body": True}
            )
            if transport is not None:
                transport.close()
            return
        if delivery.stretch:
            await _trickle(send, response.body, delivery.stretch)
        await send({"type": "http.response.body", "body": b"" if delivery.stretch else response.body})


async def _read(scope: Scope, receive: Receive) -> ApiRequest:
    body = b""
    if scope["method"] not in ("GET", "HEAD"):
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            body += message.get("body", b"")
            more = message.get("more_body", False)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return ApiRequest(
        scope["method"], clean_path(scope["path"]), scope["query_string"].decode("latin-1"), headers, body
    )


async def _trickle(send: Send, body: bytes, seconds: float) -> None:
    size = max(1, len(body) // CHUNKS + 1)
    parts = range(0, len(body), size)
    for start in parts:
        await send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
        await asyncio.sleep(seconds / len(parts))


def _jitter(random: Random, most: float) -> float:
    return random.random() * most if most else 0.0
