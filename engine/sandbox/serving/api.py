"""The API: a request in, a response out, with faults and limits on the way."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode

import msgspec

from engine.connectors.stripe.catalogue import Retrieve, Search, Table, Write

from ..admission import Fault, RouteMatch, check_permission, open_store, too_many
from ..errors import ApiError
from ..options import KeyGrant
from ..params import nest
from ..state import ApiResponse, Store
from ..verbs import perform
from .sandbox import Sandbox

VERSION: Final = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z_]+)?$")


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request as received; header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Delivery:
    """A response and how to deliver it: `cut` before, `half` of it, or `stretch`ed over seconds."""

    response: ApiResponse
    cut: bool = False
    half: bool = False
    stretch: float = 0.0
    struck: list[str] = field(default_factory=list)


@dataclass(slots=True)
class AdmittedRequest:
    """An admitted request: key grant, store, endpoint, idempotency key.

    A `silent` one emits no events.
    """

    id: str
    request: ApiRequest
    grant: KeyGrant
    store: Store
    match: RouteMatch
    key: str | None = None
    silent: bool = False


class Api:
    """Responds to requests. Never waits; the caller does."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def admit(self, request: ApiRequest, request_id: str) -> AdmittedRequest | Delivery:
        """Check key, account, path, permission, version, limits and idempotency key. A delivery rejects or replays."""
        sandbox = self.sandbox
        try:
            grant = sandbox.keyring.check(request.headers)
            store = open_store(sandbox.world, grant, request.headers)
            match = sandbox.routes.find(request.method, request.path)
            if match is None:
                raise ApiError(404, f"Unrecognized request URL ({request.method}: {request.path}).")
            check_permission(grant, sandbox.routes.permission(match.endpoint), store.account)
            version = request.headers.get("stripe-version")
            if version is not None and not VERSION.match(version):
                raise ApiError(400, f"Invalid Stripe API version: {version}")
            sandbox.limiter.check(f"{request.method} {match.endpoint.path}")
            admitted = AdmittedRequest(request_id, request, grant, store, match)
            key = request.headers.get("idempotency-key")
            if key and request.method == "POST":
                print_of = f"{request.method} {request.path} {request.query} {request.body.decode('utf-8', 'replace')}"
                kept = sandbox.idempotency.begin(store.account, key, print_of, sandbox.world.clock.now())
                if kept is not None:
                    headers = (*kept.headers, ("Idempotent-Replayed", "true"))
                    return Delivery(ApiResponse(kept.status, kept.body, headers))
                admitted.key = key
        except ApiError as error:
            return Delivery(self._refusal(error))
        return admitted

    def respond(self, admitted: AdmittedRequest, faults: list[Fault]) -> Delivery:
        """Execute the request unless a fault prevents it, apply faults to the response, and save the changes."""
        delivery = self._respond(admitted, faults)
        self.sandbox.save()
        return delivery

    def _respond(self, admitted: AdmittedRequest, faults: list[Fault]) -> Delivery:
        for fault in faults:
            if not fault.applied and fault.kind in ("error", "rate_limit", "lock", "reset"):
                delivery = self._fail(fault)
                self._settle(admitted, delivery.response if fault.kind == "error" else None)
                return delivery
        response, keep = self._perform(admitted)
        delivery = Delivery(response)
        for fault in faults:
            if fault.applied and fault.kind == "error":
                delivery = self._fail(fault)
                response = delivery.response
            else:
                _spoil(delivery, fault)
        self._settle(admitted, response if keep else None)
        return delivery

    def _settle(self, admitted: AdmittedRequest, response: ApiResponse | None) -> None:
        if admitted.key is None:
            return
        if response is None:
            self.sandbox.idempotency.drop(admitted.store.account, admitted.key)
        else:
            kept = ApiResponse(response.status, response.body, (*response.headers, ("Original-Request", admitted.id)))
            self.sandbox.idempotency.finish(admitted.store.account, admitted.key, kept)

    def _fail(self, fault: Fault) -> Delivery:
        match fault.kind:
            case "rate_limit":
                error = too_many(fault.reason, fault.retry_after)
            case "lock":
                error = too_many(None, fault.retry_after)
            case _:
                text = "An unknown error occurred; a fault is set."
                more = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
                error = ApiError(fault.status, text, type="api_error", headers=more)
        return Delivery(self._refusal(error), cut=fault.kind == "reset")

    def _perform(self, admitted: AdmittedRequest) -> tuple[ApiResponse, bool]:
        """The response, and whether it is stored under an idempotency key."""
        try:
            self.sandbox.world.pass_time()
            self._run_hooks(admitted)
            return ApiResponse(200, self._do(admitted)), True
        except ApiError as error:
            return self._refusal(error), error.kept
        except Exception:  # noqa: BLE001 - a defect is answered as Stripe does, and printed
            traceback.print_exc(file=sys.stderr)
            defect = ApiError(
                500, "Internal error of the sandbox; see its standard error.", type="api_error", code="sandbox_defect"
            )
            return self._refusal(defect), False

    def _run_hooks(self, admitted: AdmittedRequest) -> None:
        if not isinstance(admitted.match.endpoint, Table):
            return
        for hook in self.sandbox.hooks.due(admitted.request.path):
            if hook.advance:
                self.sandbox.world.clock.advance(hook.advance)
            if hook.target:
                hook.status = self.act(admitted.store, hook.method, hook.target, hook.params).status
            else:
                hook.status = 200

    def act(
        self, store: Store, method: str, path: str, params: Mapping[str, str], *, silent: bool = False
    ) -> ApiResponse:
        """Execute a request of an account without key, limits, faults or trace; `silent` also without events."""
        form = urlencode(params)
        request = ApiRequest(
            method, path, form if method == "GET" else "", {}, b"" if method == "GET" else form.encode()
        )
        match = self.sandbox.routes.find(method, path)
        if match is None:
            return self._refusal(ApiError(404, f"Unrecognized request URL ({method}: {path})."))
        admitted = AdmittedRequest(self.sandbox.world.request_id(), request, KeyGrant(""), store, match, silent=silent)
        try:
            return ApiResponse(200, self._do(admitted))
        except ApiError as error:
            return self._refusal(error)

    def _do(self, admitted: AdmittedRequest) -> bytes:
        request, store, reader = admitted.request, admitted.store, self.sandbox.reader
        endpoint = admitted.match.endpoint
        match endpoint:
            case Table():
                return reader.page(store, admitted.match, endpoint, request.path, _query(request))
            case Retrieve():
                return reader.retrieve(store, admitted.match, endpoint, _query(request))
            case Search():
                return reader.search(store, endpoint, request.path, _query(request))
            case Write():
                return self._write(admitted, endpoint)

    def _write(self, admitted: AdmittedRequest, write: Write) -> bytes:
        world = self.sandbox.world
        given = nest(_form(admitted.request))
        tree = self.sandbox.expander.read(given, write.returns, in_list=False)
        given.pop("expand", None)
        mutation = world.mutation(admitted.store, admitted.id, admitted.key, silent=admitted.silent)
        result = perform(mutation, write, admitted.match.values, given)
        shown: dict[str, Any]
        shown = result if isinstance(result, dict) else world.renderer.show(admitted.store, *result)
        return world.renderer.encode(self.sandbox.expander.apply(admitted.store, shown, tree) if tree else shown)

    def _refusal(self, error: ApiError) -> ApiResponse:
        body = msgspec.json.encode(error.body())
        return ApiResponse(error.status, body, tuple(error.headers.items()))

    def headers(self, request: ApiRequest, request_id: str, response: ApiResponse) -> list[tuple[bytes, bytes]]:
        """The headers of a response."""
        world = self.sandbox.world
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(response.body)),
            "Date": formatdate(world.clock.now(), usegmt=True),
            "Request-Id": request_id,
            "Stripe-Version": request.headers.get("stripe-version") or world.catalogue.api_version,
            "Cache-Control": "no-cache, no-store",
        }
        for name in ("Idempotency-Key", "Stripe-Account"):
            if name.lower() in request.headers:
                headers[name] = request.headers[name.lower()]
        headers.update(response.headers)
        return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def _spoil(delivery: Delivery, fault: Fault) -> None:
    match fault.kind:
        case "reset":
            delivery.cut = True
        case "truncated":
            delivery.half = True
        case "slow_body":
            delivery.stretch = max(delivery.stretch, fault.seconds)
        case "malformed":
            body = delivery.response.body
            delivery.response = ApiResponse(
                delivery.response.status, body[: len(body) // 2] + b"}<html>", delivery.response.headers
            )
        case _:
            pass


def _query(request: ApiRequest) -> dict[str, Any]:
    return nest(parse_qsl(request.query, keep_blank_values=True))


def _form(request: ApiRequest) -> list[tuple[str, str]]:
    kind = request.headers.get("content-type", "application/x-www-form-urlencoded").partition(";")[0].strip()
    if request.body and kind != "application/x-www-form-urlencoded":
        raise ApiError(400, f"The sandbox accepts form parameters only, not {kind}.", code="sandbox_unsupported")
    text = request.body.decode("utf-8", "replace")
    return parse_qsl(request.query, keep_blank_values=True) + parse_qsl(text, keep_blank_values=True)


def clean_path(path: str) -> str:
    """The path without percent escapes and trailing slash."""
    return unquote(path).rstrip("/") or "/"
