"""`/_sandbox/`: the control API of a running sandbox, for tests. Never limited, delayed or counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..options import KeyGrant, RateLimits
from ..reading import ground_truth
from .api import Api

Handler = Callable[[Request], Awaitable[Response]]


class Control:
    """The handlers, each a resource: GET shows, POST sets, DELETE removes."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._sandbox = api.sandbox

    def routes(self) -> list[Route]:
        """The routes below `/_sandbox`."""
        handlers: dict[str, tuple[Handler, list[str]]] = {
            "/": (self.overview, ["GET"]),
            "/clock": (self.clock, ["GET", "POST"]),
            "/config": (self.config, ["GET", "POST"]),
            "/faults": (self.faults, ["GET", "POST", "DELETE"]),
            "/hooks": (self.hooks, ["GET", "POST", "DELETE"]),
            "/keys": (self.keys, ["GET", "POST", "DELETE"]),
            "/requests": (self.requests, ["GET", "DELETE"]),
            "/reset": (self.reset, ["POST"]),
            "/act": (self.act, ["POST"]),
            "/truth": (self.truth, ["GET"]),
        }
        return [Route(path, self._guard(handler), methods=methods) for path, (handler, methods) in handlers.items()]

    def _guard(self, handler: Handler) -> Handler:
        """Respond 400 with the reason to invalid input; save the changes."""

        async def guarded(request: Request) -> Response:
            try:
                response = await handler(request)
            except (KeyError, TypeError, ValueError) as error:
                response = JSONResponse({"error": str(error)}, 400)
            self._sandbox.save()
            return response

        return guarded

    async def overview(self, _: Request) -> Response:
        """Version, account, size and clock of the sandbox."""
        options, world = self._sandbox.options, self._sandbox.world
        counts = {name: len(table.rows) for name, table in world.store(world.platform).tables() if table.rows}
        return JSONResponse(
            {
                "api_version": self._sandbox.catalogue.api_version,
                "account": world.platform,
                "seed": options.seed,
                "now": world.clock.now(),
                "objects": counts,
                "requests": dict(self._sandbox.counts),
            }
        )

    async def clock(self, request: Request) -> Response:
        """The clock. POST `{"now": 0}`, `{"advance": 60}`, `{"frozen": true}`, or several of them."""
        clock = self._sandbox.world.clock
        if request.method == "POST":
            given = _known(await request.json(), {"now", "advance", "frozen"})
            if "frozen" in given:
                clock.freeze(bool(given["frozen"]))
            if "now" in given:
                clock.set(int(given["now"]))
            if "advance" in given:
                clock.advance(int(given["advance"]))
            self._sandbox.world.pass_time()
        return JSONResponse({"now": clock.now(), "frozen": clock.frozen})

    async def config(self, request: Request) -> Response:
        """The rate limits, search lag, version and delay of events; POST sets the given ones."""
        limits = {each.name for each in fields(RateLimits)}
        world = self._sandbox.world
        if request.method == "POST":
            given = _known(await request.json(), limits | {"search_lag", "event_api_version", "event_delay"})
            changed = {name: value for name, value in given.items() if name in limits}
            self._sandbox.limiter.set(replace(self._sandbox.limiter.limits, **changed))
            world.options = replace(world.options, **{key: value for key, value in given.items() if key not in limits})
        names = ("search_lag", "event_api_version", "event_delay")
        more = {name: getattr(world.options, name) for name in names}
        return JSONResponse({**asdict(self._sandbox.limiter.limits), **more})

    async def faults(self, request: Request) -> Response:
        """The faults; POST adds one, DELETE removes one (`?id=`) or all."""
        faults = self._sandbox.faults
        if request.method == "POST":
            return JSONResponse(asdict(faults.add(await request.json())))
        if request.method == "DELETE":
            identifier = request.query_params.get("id")
            faults.remove(int(identifier) if identifier else None)
        return JSONResponse([asdict(fault) for fault in faults.active])

    async def hooks(self, request: Request) -> Response:
        """The hooks; POST adds one, DELETE removes all."""
        if request.method == "POST":
            return JSONResponse(asdict(self._sandbox.hooks.add(await request.json())))
        if request.method == "DELETE":
            self._sandbox.hooks.clear()
        return JSONResponse([asdict(hook) for hook in self._sandbox.hooks.all])

    async def keys(self, request: Request) -> Response:
        """The keys; POST `{"key", "permissions", "livemode", "account"}` adds one, DELETE `?key=` revokes it."""
        if request.method == "POST":
            given = _known(await request.json(), {"key", "permissions", "livemode", "account"})
            permissions = given.get("permissions")
            rights = None if permissions is None else frozenset(permissions)
            live = bool(given.get("livemode", False))
            self._sandbox.keyring.add(KeyGrant(given["key"], rights, live, given.get("account")))
        if request.method == "DELETE":
            self._sandbox.keyring.revoke(request.query_params["key"])
        return JSONResponse(
            [
                {
                    "key": each.key,
                    "permissions": None if each.permissions is None else sorted(each.permissions),
                    "livemode": each.livemode,
                    "account": each.account,
                }
                for each in self._sandbox.keyring.grants()
            ]
        )

    async def requests(self, request: Request) -> Response:
        """The API requests so far, oldest first; DELETE clears them."""
        if request.method == "DELETE":
            self._sandbox.trace.clear()
            self._sandbox.counts.clear()
        return JSONResponse(list(self._sandbox.trace))

    async def reset(self, _: Request) -> Response:
        """Return to the initial state."""
        self._sandbox.reset()
        return JSONResponse({"reset": True})

    async def act(self, request: Request) -> Response:
        """Execute `{"method", "path", "params", "account", "livemode"}` without key, limits, faults and trace.

        With `"silent": true` it emits no events.
        """
        given = _known(await request.json(), {"method", "path", "params", "account", "livemode", "silent"})
        world = self._sandbox.world
        account = given.get("account") or world.platform
        if not world.knows(account):
            raise ValueError(f"no account {account}")
        store = world.store(account, livemode=bool(given.get("livemode", False)))
        silent = bool(given.get("silent", False))
        method, params = given.get("method", "POST"), given.get("params", {})
        response = self._api.act(store, method, given["path"], params, silent=silent)
        return Response(response.body, response.status, media_type="application/json")

    async def truth(self, request: Request) -> Response:
        """The ground truth (see `ground_truth`); `?table=` may be repeated, `?objects=1` adds the objects."""
        truth = ground_truth(
            self._sandbox.world, request.query_params.getlist("table"), objects="objects" in request.query_params
        )
        return Response(self._sandbox.world.renderer.encode(truth), media_type="application/json")


def _known(given: Any, names: set[str]) -> dict[str, Any]:
    if not isinstance(given, dict) or set(given) - names:
        raise ValueError(f"expected an object with some of {', '.join(sorted(names))}")
    return given
