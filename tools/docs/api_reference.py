"""The reference page of the API, from the same operations as the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final, cast

from engine.api.handlers import Handlers
from engine.api.openapi import problem_statuses
from engine.api.operation import Operation
from engine.api.operations import operations

_HEAD: Final = """# The API of `weir serve`

`GET /openapi.json` is the whole of it, as OpenAPI 3.1. How to use it: [serve](../serve.md).

| request | scope | what it does | answers | problems |
|---|---|---|---|---|
"""


class _NoHandlers:
    """Stands in for the handlers: the page describes operations and calls none."""

    def __getattr__(self, name: str) -> Any:
        return None


def api_page(generated: str) -> str:
    """The page as Markdown, below the line that marks it as generated."""
    rows = operations(cast(Handlers, _NoHandlers()))
    return generated + _HEAD + "".join(f"| {' | '.join(_row(each))} |\n" for each in rows)


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
