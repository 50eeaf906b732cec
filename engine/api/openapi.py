"""The OpenAPI 3.1 document, made of the operations and their models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from .models import Problem
from .operation import PATH_PATTERNS, Operation
from .problems import PROBLEM_TYPE

_REF: Final = "#/components/schemas/{model}"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_OF_ALL: Final = (429,)
_OF_TOKENS: Final = (401, 403, 503)
_OF_BODIES: Final = (413, 415, 422)
_REQUEST_ID: Final = {"description": "The request's id: the caller's, or a new one.", "schema": {"type": "string"}}


def openapi_document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The document as JSON values."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Weir",
            "version": version("weir"),
            "description": "Runs interfaces, shows runs, definitions and findings. See docs/serve.md.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "What `weir token new` prints."}
            },
        },
    }


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    taken = {each.body for each in operations if each.body is not None}
    given = {model for each in operations for _, model in each.answers.values() if not isinstance(model, str)}
    modes = [(model, "validation") for model in taken] + [(model, "serialization") for model in {*given, Problem}]
    _, document = models_json_schema(
        sorted(modes, key=lambda pair: (pair[0].__name__, pair[1])),  # type: ignore[arg-type]
        ref_template=_REF,
    )
    return {name: _closed(schema) for name, schema in sorted(document["$defs"].items())}


def _closed(schema: Any) -> Any:
    """Where keys have a pattern, there are no others: pydantic checks it and does not say it."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _closed(each) for key, each in schema.items()}
    return {**found, "additionalProperties": False} if "patternProperties" in found else found


def _operation(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": _parameters(operation),
        "responses": _responses(operation),
        "security": [{"token": []}] if operation.scope is not None else [],
    }
    if operation.scope is not None:
        found["description"] = f"Needs a token with the scope `{operation.scope}`."
    if operation.body is not None:
        content = {"application/json": {"schema": _ref(operation.body)}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": PATH_PATTERNS[name]},
        }
        for name in _PARAMETER.findall(operation.path)
    ]
    found += [
        {"name": each.name, "in": "query", "description": each.description, "schema": dict(each.schema)}
        for each in operation.query
    ]
    found += [
        {"name": name, "in": "header", "description": text, "schema": {"type": "string", "pattern": "^[0-9]{1,9}$"}}
        for name, text in operation.headers.items()
    ]
    return found


def _responses(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, (text, model) in operation.answers.items():
        found[str(status)] = {"description": text, "headers": {"X-Request-Id": _REQUEST_ID}}
        if isinstance(model, str):
            if model:
                found[str(status)]["content"] = {model: {"schema": {"type": "string"}}}
        else:
            found[str(status)]["content"] = {"application/json": {"schema": _ref(model)}}
    for status in problem_statuses(operation):
        found[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "headers": {"X-Request-Id": _REQUEST_ID},
            "content": {PROBLEM_TYPE: {"schema": _ref(Problem)}},
        }
    return dict(sorted(found.items()))


def problem_statuses(operation: Operation) -> tuple[int, ...]:
    """The statuses of all problems that the operation may answer with."""
    found = {*operation.problems, 400, 500}
    if operation.scope is not None:
        found |= {*_OF_ALL, *_OF_TOKENS}
    if operation.body is not None:
        found |= set(_OF_BODIES)
    if "{" in operation.path:
        found.add(404)
    return tuple(sorted(found))


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}
