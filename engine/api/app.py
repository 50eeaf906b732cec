"""The API as an ASGI application."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.app.serving.audit import Audit
from engine.app.serving.tokens import Keys

from .front import Front, dressed, problem_response, request_id_of
from .handlers import Handlers
from .limits import Buckets
from .metrics import Metrics
from .openapi import openapi_document
from .operation import Operation
from .operations import operations
from .problems import ProblemError

if TYPE_CHECKING:
    from engine.app.serving.engine import Engine


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """The API's limits. `requests` and `refused` are per minute: of a token, and of an address that is refused;
    each may come in a burst of a quarter of that. `wait` is how long a request waits for its run, in seconds."""

    requests: float = 600
    refused: float = 60
    largest_body: int = 2**20
    wait: float = 300
    streams: int = 50
    clock: Callable[[], float] = time.monotonic


def make_api(engine: Engine, options: ApiOptions) -> Starlette:
    """The API over an engine that watches, schedules and runs."""
    metrics = Metrics(engine)
    front = Front(
        Keys(engine.store, engine.now),
        metrics,
        Audit(engine.workspace.paths.audit, engine.now),
        Buckets(options.requests, max(1, options.requests / 4), options.clock),
        Buckets(options.refused, max(1, options.refused / 4), options.clock),
        options.largest_body,
    )
    listed = operations(Handlers(engine, metrics, options.wait, options.streams))
    document = openapi_document(listed)

    async def openapi(request: Request) -> Response:
        return dressed(JSONResponse(document), request_id_of(request))

    by_path: dict[str, dict[str, Operation]] = {}
    for operation in listed:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    routes = [Route(path, _endpoint(front, found), methods=list(found)) for path, found in by_path.items()]
    routes.append(Route("/openapi.json", openapi, methods=["GET"]))
    handlers = {HTTPException: _refused, Exception: _failed}
    app = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
    app.router.redirect_slashes = False
    return app


def _endpoint(front: Front, found: dict[str, Operation]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await front.answer(found[method], request)

    return endpoint


def _refused(request: Request, error: HTTPException) -> Response:
    """No such path, or no such method of it."""
    request_id = request_id_of(request)
    detail = "no such path" if error.status_code == HTTPStatus.NOT_FOUND else "no such method of this path"
    hint = "GET /openapi.json lists all paths"
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    problem = ProblemError(error.status_code, code, detail, hint, dict(error.headers or {}))
    return dressed(problem_response(problem, request_id), request_id)


def _failed(request: Request, _error: Exception) -> Response:
    request_id = request_id_of(request)
    problem = ProblemError(500, "unexpected", "something went wrong here", "the server's log has the request id")
    return dressed(problem_response(problem, request_id), request_id)
