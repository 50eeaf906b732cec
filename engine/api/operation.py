"""An operation of the API: what it takes, what it gives, who may use it.

The routes and the OpenAPI document are made of one list of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from starlette.responses import Response

from .models import NAME, RUN_ID

if TYPE_CHECKING:
    from engine.app.serving.tokens import Scope
    from engine.stores import TokenRecord

PATH_PATTERNS = {"name": NAME, "id": RUN_ID}


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter after the question mark. `schema` is its JSON Schema, of a text or a list of texts."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was let in: everything that a handler may look at."""

    operation: Operation
    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: BaseModel | None
    token: TokenRecord | None
    request_id: str

    def one(self, name: str, default: str) -> str:
        """The value of a query parameter that comes once."""
        found = self.query.get(name)
        return found[0] if found else default


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out: a model, or a response of its own."""

    status: int
    content: BaseModel | None = None
    response: Response | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """`answers` are the statuses of success with the model or media type of each. `scope` None: for everybody.

    `audited`: it changes something. A handler that is no coroutine is run on a thread.
    """

    method: str
    path: str
    name: str
    summary: str
    scope: Scope | None
    handler: Callable[[Asked], Answer] | Callable[[Asked], Awaitable[Answer]]
    answers: Mapping[int, tuple[str, type[BaseModel] | str]]
    problems: tuple[int, ...] = ()
    query: tuple[Query, ...] = ()
    body: type[BaseModel] | None = None
    audited: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    """Request headers that mean something, with what they do."""
