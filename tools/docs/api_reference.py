"""The reference page of the API, made of the same operations as the OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence

from engine.api.openapi import problem_statuses
from engine.api.operation import Operation

_HEAD = """<!-- Generated: see tests/unit/api/test_openapi.py. -->
# The API of `weir serve`

`GET /openapi.json` is the whole of it, as OpenAPI 3.1. How to use it: [serve](../serve.md).

| request | scope | what it does | answers | problems |
|---|---|---|---|---|
"""


def api_page(operations: Sequence[Operation]) -> str:
    """The page as Markdown."""
    return _HEAD + "".join(f"| {' | '.join(_row(each))} |\n" for each in operations)


def _row(operation: Operation) -> tuple[str, ...]:
    query = "&".join(f"{each.name}=…" for each in operation.query)
    path = f"{operation.path}?{query}" if query else operation.path
    return (
        f"`{operation.method} {path}`",
        f"`{operation.scope}`" if operation.scope is not None else "none",
        operation.summary,
        ", ".join(str(status) for status in operation.answers),
        ", ".join(str(status) for status in problem_statuses(operation)),
    )
