"""The way in: request ids, tokens, limits, bodies; and the way out: headers, figures, the audit log."""

from __future__ import annotations

import inspect
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from engine.app.errors import RefusalError
from engine.app.logging import log, redact
from engine.report.masking import masked

from .limits import Buckets
from .operation import PATH_PATTERNS, Answer, Asked, Operation, Query
from .problems import PROBLEM_TYPE, ProblemError, not_found, of_refusal

if TYPE_CHECKING:
    from engine.app.serving.audit import Audit
    from engine.app.serving.tokens import Keys
    from engine.stores import TokenRecord

    from .metrics import Metrics

REQUEST_ID: Final = "X-Request-Id"
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_TEXT: Final = "constrained-str"
"""What pydantic calls the first of the kinds of value that a parameter may have."""

_TOO_MANY: Final = "slow down: `Retry-After` says for how many seconds"


@dataclass(slots=True)
class _Seen:
    """What is known of a request, for its answer and for the log."""

    request_id: str
    address: str
    token: TokenRecord | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Front:
    """Lets requests in to operations. `refused` counts, by address, the requests that were refused a token."""

    keys: Keys
    metrics: Metrics
    audit: Audit
    requests: Buckets
    refused: Buckets
    largest_body: int

    async def answer(self, operation: Operation, request: Request) -> Response:
        """The answer to a request; a mistake of ours is a problem with an id that the log has, too."""
        seen = _Seen(request_id_of(request), request.client.host if request.client is not None else "")
        problem: ProblemError | None = None
        try:
            asked = await self._asked(operation, request, seen)
            response = _rendered(await _handled(operation, asked, seen))
        except ProblemError as error:
            problem = error
        except RefusalError as error:
            problem = of_refusal(error)
        except ClientDisconnect:
            problem = ProblemError(400, "gone", "the caller went away")
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a problem and no traceback
            log("request failed", request=seen.request_id, error=redact(f"{type(error).__name__}: {error}"))
            problem = _of_trouble(error)
        if problem is not None:
            seen.run = problem.run or seen.run
            response = problem_response(problem, seen.request_id)
        self._note(operation, request, response.status_code, seen, problem)
        return dressed(response, seen.request_id)

    async def _asked(self, operation: Operation, request: Request, seen: _Seen) -> Asked:
        if operation.scope is not None:
            seen.token = await run_in_threadpool(self._admit, request, seen.address)
            if operation.scope not in seen.token.scopes:
                raise ProblemError(
                    403,
                    "scope",
                    f"this needs a token with the scope `{operation.scope}`",
                    "`weir token new NAME --scope …` makes one",
                    {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{operation.scope}"'},
                )
        for name, value in request.path_params.items():
            if not re.fullmatch(PATH_PATTERNS[name], value):
                raise not_found(f"`{masked(value[:80])}` is no {name} of anything")
        headers = {name.lower(): request.headers.get(name.lower(), "") for name in operation.headers}
        if any(value and not _NUMBER.fullmatch(value) for value in headers.values()):
            raise ProblemError(400, "invalid", "Last-Event-ID is a number")
        return Asked(
            operation,
            request.path_params,
            checked_query(operation.query, request.query_params.multi_items()),
            {name: value for name, value in headers.items() if value},
            await self._body(operation.body, request) if operation.body is not None else None,
            seen.token,
            seen.request_id,
        )

    def _admit(self, request: Request, address: str) -> TokenRecord:
        """Whose token it is. The same answer, whatever is wrong with it."""
        wait = self.refused.empty_for(address)
        if wait is not None:
            raise ProblemError(429, "rate", "too many refused requests", _TOO_MANY, {"Retry-After": str(wait)})
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        token = self.keys.holder(text.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            self.refused.take(address)
            raise ProblemError(
                401,
                "token",
                "no token that holds",
                "send `Authorization: Bearer TOKEN`; `weir token new NAME --scope read` makes one",
                {"WWW-Authenticate": "Bearer"},
            )
        wait = self.requests.take(token.id)
        if wait is not None:
            raise ProblemError(429, "rate", "too many requests", _TOO_MANY, {"Retry-After": str(wait)})
        return token

    async def _body(self, model: type[BaseModel], request: Request) -> BaseModel:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise ProblemError(415, "media_type", "the body is `application/json`", None)
        raw = bytearray()
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > self.largest_body:
                raise ProblemError(
                    413,
                    "too_large",
                    f"a body has at most {self.largest_body:,} bytes",
                    "give fewer rows, in several runs",
                    {"Connection": "close"},
                )
        try:
            return model.model_validate_json(bytes(raw))
        except ValidationError as error:
            raise _invalid(error) from None

    def _note(
        self, operation: Operation, request: Request, status: int, seen: _Seen, problem: ProblemError | None
    ) -> None:
        self.metrics.note_request(operation.method, operation.path, status)
        if not operation.audited and status not in (401, 403):
            return
        known: dict[str, Any] = {"status": status, "request": seen.request_id, "address": seen.address}
        known |= {name: masked(value[:80]) for name, value in request.path_params.items()}
        if seen.run is not None:
            known["run"] = seen.run
        if problem is not None:
            known["code"] = problem.code
        who = f"token {seen.token.name}" if seen.token is not None else "nobody"
        result = "refused" if problem is not None else "done"
        if status != 429:  # who sends too much does not fill the log, too
            self.audit.note(f"{operation.method} {operation.path}", who=who, result=result, **known)
            log("request", what=f"{operation.method} {operation.path}", who=who, **known)


def _of_trouble(error: Exception) -> ProblemError:
    """What is not the caller's mistake: whether it may be worth another try."""
    from engine.stores import is_out_of_reach

    hint = "the server's log has the request id"
    if is_out_of_reach(error):
        return ProblemError(503, "state", "the state does not answer now", f"try again; {hint}", {"Retry-After": "5"})
    return ProblemError(500, "unexpected", "something went wrong here", hint)


def checked_query(known: Sequence[Query], given: Sequence[tuple[str, str]]) -> Mapping[str, list[str]]:
    """The parameters by name. ProblemError for one that is unknown, comes too often, or has a value of another kind."""
    schemas = {each.name: each.schema for each in known}
    found: dict[str, list[str]] = {}
    for name, value in given:
        if name not in schemas:
            raise ProblemError(400, "invalid", f"no parameter `{masked(name[:64])}`", None)
        found.setdefault(name, []).append(value)
    for name, values in found.items():
        schema = schemas[name]
        several = schema["type"] == "array"
        if len(values) > (schema["maxItems"] if several else 1):
            raise ProblemError(400, "invalid", f"`{name}` comes too often", None)
        item = schema["items"] if several else schema
        if not all(_fits(value, item) for value in values):
            raise ProblemError(400, "invalid", f"`{name}` does not take this value", None)
    return found


def _fits(value: str, schema: Mapping[str, Any]) -> bool:
    if schema["type"] == "integer":
        return bool(_NUMBER.fullmatch(value)) and schema["minimum"] <= int(value) <= schema["maximum"]
    if "enum" in schema:
        return value in schema["enum"]
    return len(value) <= schema.get("maxLength", 200) and _matches(schema["pattern"], value)


def _matches(pattern: str, value: str) -> bool:
    """As JSON Schema means it: `$` is the very end."""
    return re.search(pattern.replace("$", r"\Z"), value) is not None


async def _handled(operation: Operation, asked: Asked, seen: _Seen) -> Answer:
    found = operation.handler(asked) if inspect.iscoroutinefunction(operation.handler) else None
    answer = await found if found is not None else await run_in_threadpool(operation.handler, asked)
    if not isinstance(answer, Answer):
        raise AssertionError("a handler gives an answer")
    seen.run = answer.run
    return answer


def _rendered(answer: Answer) -> Response:
    if answer.response is not None:
        return answer.response
    content = answer.content.model_dump(mode="json") if answer.content is not None else None
    return Response(_json(content), answer.status, media_type="application/json")


def problem_response(problem: ProblemError, request_id: str) -> Response:
    """A problem as it goes out."""
    return Response(_json(problem.body(request_id)), problem.status, problem.headers, PROBLEM_TYPE)


def dressed(response: Response, request_id: str) -> Response:
    """With the headers that every answer has."""
    response.headers[REQUEST_ID] = request_id
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def request_id_of(request: Request) -> str:
    """The caller's id for the request if it is one, or a new one."""
    given = request.headers.get(REQUEST_ID.lower(), "")
    return given if _ID.fullmatch(given) else secrets.token_hex(8)


def _json(content: object) -> bytes:
    return json.dumps(_masked(content), ensure_ascii=False).encode("utf-8", "replace")


def _masked(value: Any) -> Any:
    """Nothing that looks like a key goes out."""
    if isinstance(value, str):
        return masked(redact(value))
    if isinstance(value, dict):
        return {masked(key): _masked(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_masked(each) for each in value]
    return value


def _invalid(error: ValidationError) -> ProblemError:
    """The first mistake of a body, by its place; never a value."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return ProblemError(400, "malformed", "the body is not JSON", None)
    where = ".".join(str(part)[:64] for part in first["loc"] if part != _TEXT) or "the body"
    message = f"{first['msg'][:1].lower()}{first['msg'][1:]}"
    if _TEXT in first["loc"] and first["type"] == "string_type":
        message = "expected text, a number, true or false"
    return ProblemError(422, "invalid", f"`{masked(where)}`: {message}", None)
