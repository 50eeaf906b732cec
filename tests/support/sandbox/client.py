"""A sandbox in the test's process, without a server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from engine.connector.sandbox import SANDBOX_KEY
from engine.sandbox.options import SandboxOptions
from engine.sandbox.serving.api import Api, ApiRequest, Delivery
from engine.sandbox.serving.sandbox import Sandbox


class Reply:
    """A response: status, decoded JSON, raw body, headers in lower case."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.status = status
        self.body = body
        self.headers = headers

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        error = self.json["error"]
        assert isinstance(error, dict)
        return error


class Client:
    """Sends API requests to a sandbox. The clock is frozen unless a test moves it."""

    def __init__(self, **options: Any) -> None:
        self.elapsed = 0.0
        chosen = replace(SandboxOptions(customers=40, frozen=True), **options)
        self.sandbox = Sandbox(chosen, lambda: self.elapsed)
        self.api = Api(self.sandbox)

    def ask(self, method: str, path: str, params: Any = (), *, key: str = SANDBOX_KEY, **headers: str) -> Reply:
        form = urlencode(params)
        sent = {"authorization": f"Bearer {key}"} if key else {}
        sent |= {name.replace("_", "-").lower(): value for name, value in headers.items()}
        in_query = method != "POST"
        request = ApiRequest(method, path, form if in_query else "", sent, b"" if in_query else form.encode())
        request_id = self.sandbox.world.request_id()
        ticket = self.api.admit(request, request_id)
        if isinstance(ticket, Delivery):
            delivery = ticket
        else:
            delivery = self.api.respond(ticket, self.sandbox.faults.strike(method, path))
        raw = self.api.headers(request, request_id, delivery.response)
        return Reply(delivery.response.status, delivery.response.body, {k.decode(): v.decode() for k, v in raw})

    def get(self, path: str, params: Any = (), **more: str) -> Any:
        reply = self.ask("GET", path, params, **more)
        assert reply.status == 200, reply.body
        return reply.json

    def post(self, path: str, params: Any = (), **more: str) -> Any:
        reply = self.ask("POST", path, params, **more)
        assert reply.status == 200, reply.body
        return reply.json

    def delete(self, path: str, params: Any = (), **more: str) -> Any:
        reply = self.ask("DELETE", path, params, **more)
        assert reply.status == 200, reply.body
        return reply.json

    def everything(self, path: str, params: Any = (), *, limit: int = 100) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        while True:
            cursor = [("starting_after", found[-1]["id"])] if found else []
            page = self.get(path, [*params, ("limit", str(limit)), *cursor])
            found += page["data"]
            if not page["has_more"]:
                return found

    def events(self, since: int = 0) -> list[str]:
        """The types of the events from this timestamp on, oldest first."""
        found = self.everything("/v1/events", [("created[gte]", str(since))])
        return [event["type"] for event in reversed(found)]

    @property
    def now(self) -> int:
        return self.sandbox.world.clock.now()

    def advance(self, seconds: int) -> None:
        self.sandbox.world.clock.advance(seconds)
