"""The served OpenAPI document is what the server does: Schemathesis asks it by the document."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from engine.api import ApiOptions, listen, make_api
from engine.api.operations import operations
from engine.app.serving.engine import Engine, EngineOptions
from engine.app.serving.tokens import new_token
from engine.app.workspace import Workspace
from engine.report.masking import masked
from tests.support.serving import make_project

from .conftest import Client

EXAMPLES = 12
REFUSED = ("400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429")
"""How what is wrong may be refused. 413: some of it is also too long."""


class _Anything:
    def __getattr__(self, name: str) -> None:
        return None


HANDLERS: Any = _Anything()
ROUTES = [(each.method, each.path) for each in operations(HANDLERS)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of a server, and a token for it."""
    root = make_project(tmp_path_factory.mktemp("served"))
    (root / "interfaces/slow.yaml").unlink()
    with Engine(Workspace.open(root), EngineOptions(os.environ, isolated=False, drain=0)) as engine:
        token, _ = new_token(Workspace.open(root), "tester", ("read", "run", "admin"), None)
        listening = listen(make_api(engine, ApiOptions(requests=1e9, refused=1e9)), "127.0.0.1", 0)
        try:
            yield listening.url, token
        finally:
            engine.drain()
            listening.close()


@pytest.fixture(scope="module")
def document(served: tuple[str, str]) -> Any:
    made = schemathesis.openapi.from_url(f"{served[0]}/openapi.json")
    made.config.checks.negative_data_rejection.expected_statuses = list(REFUSED)
    return made


_GIVEN = (ParameterLocation.PATH, ParameterLocation.QUERY, ParameterLocation.BODY)


def _wrong(case: Any, *places: ParameterLocation) -> bool:
    """Whether what was made wrong is in one of these places of the request."""
    return any(case.meta.is_negative_at(place) for place in places)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_the_server_does_what_the_document_says(
    method: str, path: str, mode: GenerationMode, document: Any, served: tuple[str, str]
) -> None:
    headers = {"Authorization": f"Bearer {served[1]}"}

    @given(document[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case: Any) -> None:
        # The token is put in below, so that what is wrong must be somewhere else.
        assume(mode is GenerationMode.POSITIVE or _wrong(case, *_GIVEN))
        case.call_and_validate(headers=headers, timeout=30)

    try:
        check()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "nothing can be asked wrongly where nothing is asked"


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
def test_an_interface_that_there_is_answers_whatever_it_is_given(
    mode: GenerationMode, document: Any, served: tuple[str, str]
) -> None:
    """What no document can say, such as the names of its parameters, is refused in the document's words."""
    operation = document["/interfaces/{name}/runs"]["POST"]

    @given(operation.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case: Any) -> None:
        # The token and the name are put in below: what is wrong must be in the body.
        assume(mode is GenerationMode.POSITIVE or _wrong(case, ParameterLocation.BODY))
        case.path_parameters = {"name": "echo"}
        headers = {"Authorization": f"Bearer {served[1]}"}
        case.call_and_validate(headers=headers, timeout=30, excluded_checks=[positive_data_acceptance])

    check()


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.decimals().map(str)
    | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_ROWS = st.lists(
    st.fixed_dictionaries(
        {"id": st.text() | _VALUES},
        optional={"amount": _VALUES, "made": _VALUES, "tags": st.lists(st.text()) | _VALUES, "note": _VALUES},
    ),
    max_size=3,
)


@given(_ROWS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_rows_are_taken_as_they_are_or_refused(served: tuple[str, str], rows: list[dict[str, Any]]) -> None:
    body = json.dumps({"wait": True, "rows": {"wishes": rows}})
    headers = {"Authorization": f"Bearer {served[1]}", "Content-Type": "application/json"}
    until = time.monotonic() + 30
    while True:
        reply = requests.post(f"{served[0]}/interfaces/echo/runs", body, headers=headers, timeout=30)
        # A run which an earlier test ordered without waiting for it may still be going on.
        if reply.status_code != 409 or time.monotonic() > until:
            break
        time.sleep(0.05)
    assert reply.status_code in (200, 400, 422), reply.text
    if reply.status_code == 200:
        [response] = [each for each in reply.json()["responses"] if each["step"] == "echo.answer"]
        kept = {row["id"] for row in rows if float(row.get("amount") or 0) >= 0}
        assert {row["id"] for row in response["data"]} == {masked(name) for name in kept}


def test_every_route_is_in_the_document_and_nothing_else(client: Client) -> None:
    paths = client.get("/openapi.json", token=None).body["paths"]
    told = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert told == set(ROUTES)
    for path, methods in paths.items():
        for operation in methods.values():
            assert operation["security"] == ([] if path in ("/health", "/ready") else [{"token": []}])
