"""The OpenAPI document describes the operations of the server."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from engine.api import models
from engine.api.openapi import openapi_document
from engine.api.operations import operations


class _Anything:
    def __getattr__(self, name: str) -> None:
        return None


HANDLERS: Any = _Anything()
LISTED = operations(HANDLERS)
DOCUMENT = openapi_document(LISTED)


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_schemas_are_valid_json_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


def test_every_reference_resolves() -> None:
    found = list(references(DOCUMENT))
    assert len(found) > 20
    assert {each.rpartition("/")[2] for each in found} <= set(DOCUMENT["components"]["schemas"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"wait": True, "parameters": {"least": 1, "name": "x", "on": False, "part": 0.5}},
        {"rows": {"wishes": [{"id": "a", "note": {"deep": []}}]}},
        {"rows": {"Wishes": []}},
        {"rows": {"wishes": [{"Not-a-column": 1}]}},
        {"parameters": {"least": [1]}},
        {"parameters": {"least": "x" * 10_001}},
        {"wait": 1},
        {"sql": "SELECT 1"},
        {"rows": {"wishes": [1]}},
        [],
        None,
    ],
)
def test_document_and_server_accept_the_same_bodies(body: Any) -> None:
    schema = {**DOCUMENT, "$ref": "#/components/schemas/RunOrder"}
    by_document = jsonschema.Draft202012Validator(schema).is_valid(body)
    try:
        models.RunOrder.model_validate(body)
        by_server = True
    except ValueError:
        by_server = False
    assert by_document == by_server


def test_operation_that_changes_state_is_audited_and_needs_a_token() -> None:
    for each in LISTED:
        assert each.audited == (each.method != "GET")
        assert each.scope is not None or each.path in ("/health", "/ready")


def references(part: Any) -> Any:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)
