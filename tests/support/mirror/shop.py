"""A sandbox in a thread of the test, served on loopback; a new shop takes a millisecond."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from engine.sandbox import SandboxOptions, make_app
from engine.sandbox.options import KeyGrant
from engine.sandbox.reading.truth import ground_truth
from engine.sandbox.serving.api import Api
from engine.sandbox.serving.sandbox import Sandbox
from engine.sandbox.serving.server import make_server
from engine.sandbox.state.idempotency import IdempotencyKeys
from engine.sandbox.state.store import Row, Store

T = TypeVar("T")


class ServedShops:
    """One server for many shops, one after the other. Everything happens in the server's thread."""

    def __init__(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._app: Any = None
        self._loop = asyncio.new_event_loop()
        self._server = make_server(self._answer)
        self._thread = threading.Thread(target=self._run, args=(listener,), name="shops", daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.001)

    def _run(self, listener: socket.socket) -> None:
        self._loop.run_until_complete(self._server.serve(sockets=[listener]))

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)

    def open(self, **options: Any) -> Shop:
        """Close the open shop and open a new one with a clock that stands still."""
        app = make_app(SandboxOptions(**{"customers": 0, "frozen": True, **options}))
        self._app = app
        return Shop(self, app.state.sandbox)

    def do(self, work: Callable[[], T]) -> T:
        """Execute `work` in the server's thread between two requests."""

        async def call() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(60)

    def close(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join(10)
        self._loop.close()


@dataclass(frozen=True)
class RefusedError(Exception):
    """The sandbox refused a request."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)


class Shop:
    """A running sandbox and its handles. Accounts are given by ID; None is the key's own."""

    def __init__(self, served: ServedShops, box: Sandbox) -> None:
        self._served = served
        self._box = box
        self._api = Api(box)
        self.url = served.url

    @property
    def platform(self) -> str:
        """The key's own account."""
        return self._box.world.platform

    @property
    def now(self) -> int:
        """The shop's time in Unix seconds."""
        return self._box.world.clock.now()

    def act(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, *, account: str | None = None,
        silent: bool = False,
    ) -> Any:  # fmt: skip
        """Execute a request, bypassing keys, limits and faults; raises `RefusedError` if the shop refuses it."""
        texts = {name: str(value) for name, value in (params or {}).items()}
        answer = self._served.do(lambda: self._api.act(self._store(account), method, path, texts, silent=silent))
        body = json.loads(answer.body)
        if answer.status != 200:
            raise RefusedError(answer.status, body)
        return body

    def _store(self, account: str | None) -> Store:
        return self._box.world.store(account or self.platform)

    def twist(self, resource: str, identifier: str, **fields: Any) -> None:
        """Set fields of an object that no write could set, without an event."""

        def work() -> None:
            store = self._store(None)
            row = store.table(resource).rows[identifier]
            self._box.world.mutation(store).change(resource, row, fields)

        self._served.do(work)

    def write_event(self, kind: str, shown: dict[str, Any]) -> None:
        """Write an event of this type that carries this object."""
        self._served.do(lambda: self._box.world.mutation(self._store(None)).emit_object(kind, shown))

    def connect_account(self) -> str:
        """Create an empty connected account."""
        return str(self.act("POST", "/v1/accounts")["id"])

    def advance(self, seconds: int) -> None:
        """Advance the clock and execute what is due."""

        def work() -> None:
            self._box.world.clock.advance(seconds)
            self._box.world.pass_time()

        self._served.do(work)

    def configure(self, **options: Any) -> None:
        """Set options such as `event_delay` from now on."""

        def work() -> None:
            self._box.world.options = replace(self._box.world.options, **options)

        self._served.do(work)

    def fault(self, **fault: Any) -> None:
        """Set a fault."""
        self._served.do(lambda: self._box.faults.add(fault))

    def hook(self, **hook: Any) -> None:
        """Set a hook."""
        self._served.do(lambda: self._box.hooks.add(hook))

    def forget_answers(self) -> None:
        """Forget all responses stored under idempotency keys."""
        self._served.do(lambda: setattr(self._box, "idempotency", IdempotencyKeys()))

    def calm(self) -> None:
        """Remove all faults and hooks."""

        def work() -> None:
            self._box.faults.remove(None)
            self._box.hooks.clear()

        self._served.do(work)

    def allow(self, key: str, permissions: frozenset[str] | None, *, account: str | None = None) -> None:
        """Accept a key of this account with only these permissions (None: all)."""
        self._served.do(lambda: self._box.keyring.add(KeyGrant(key, permissions, account=account)))

    def rows(self, resource: str, account: str | None = None) -> list[Row]:
        """The rows of a kind, in order of creation."""
        return self._served.do(lambda: list(self._store(account).table(resource).rows.values()))

    def listed(self, path: str, account: str | None = None, **params: Any) -> list[dict[str, Any]]:
        """The first page of a list."""
        return list(self.act("GET", path, {"limit": 100, **params}, account=account)["data"])

    def truth(self, *tables: str, account: str | None = None) -> dict[str, dict[str, dict[str, Any]]]:
        """The objects that a reader of the API can reach now, by table and ID."""

        def work() -> Any:
            self._store(account)
            reported = ground_truth(self._box.world, tables, objects=True)
            return self._box.world.renderer.encode(reported)

        reported = json.loads(self._served.do(work)).get(account or self.platform, {})
        return {table: reported.get(table, {"objects": {}})["objects"] for table in tables}

    def objects_of_pending_events(self, account: str | None = None, usual: float = 0, longest: float = 0) -> set[str]:
        """The IDs of the objects with an event that is not visible yet, or that became visible more than `usual`
        seconds late and less than `longest` seconds ago."""

        def is_late(row: Row) -> bool:
            since = (row.extra or {}).get("visible_from", 0)
            return bool(since > self.now or (since > row.created + usual and since > self.now - longest))

        def work() -> set[str]:
            return {
                name
                for row in self._store(account).table("event").rows.values()
                if is_late(row)
                for name in _subjects(row.obj["data"]["object"])
            }

        return self._served.do(work)

    def made(self, account: str | None = None) -> dict[str, int]:
        """The creation time of each object with an event, including deleted ones."""

        def work() -> dict[str, int]:
            shown = [row.obj["data"]["object"] for row in self._store(account).table("event").rows.values()]
            return {each["id"]: each["created"] for each in shown if each.get("id") and each.get("created")}

        return self._served.do(work)

    def objects_of_events(self, since: int, account: str | None = None) -> list[str]:
        """The IDs of the objects of all events after the first `since` ones."""

        def work() -> list[str]:
            rows = list(self._store(account).table("event").rows.values())[since:]
            return [name for row in rows for name in _subjects(row.obj["data"]["object"])]

        return self._served.do(work)

    def requests(self) -> list[dict[str, Any]]:
        """The API requests so far."""
        return self._served.do(lambda: list(self._box.trace))

    def forget_requests(self) -> None:
        """Start a new record of requests."""
        self._served.do(self._box.trace.clear)


def _subjects(shown: Mapping[str, Any]) -> list[str]:
    return [str(shown["id"])] if shown.get("id") else []
