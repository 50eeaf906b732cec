"""A server of the API on loopback, over an engine that runs in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from engine.api import ApiOptions, Listening, listen, make_api
from engine.app.serving.engine import Engine, EngineOptions
from engine.app.serving.tokens import new_token
from engine.app.workspace import Workspace
from tests.support.serving import make_project

LIMITS = ApiOptions(requests=100_000, refused=100_000)


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class Client:
    """Asks a server. `token` goes with every request unless another one, or None, is said."""

    def __init__(self, engine: Engine, listening: Listening, token: str) -> None:
        self.engine = engine
        self.listening = listening
        self.token = token

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Reply:
        connection = HTTPConnection(self.listening.host, self.listening.port, timeout=60)
        token = options.get("token", self.token)
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.request(method, path, raw, {**headers, **options.get("headers", {})})
        answer = connection.getresponse()
        reply = Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        connection.close()
        return reply

    def get(self, path: str, **options: Any) -> Reply:
        return self.ask("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Reply:
        return self.ask("POST", path, body, **options)

    def run(self, interface: str, **order: Any) -> Reply:
        return self.post(f"/interfaces/{interface}/runs", {"wait": True, **order})

    def new_token(self, name: str, *scopes: str) -> str:
        return new_token(self.engine.workspace, name, scopes, None)[0]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


@pytest.fixture
def limits() -> ApiOptions:
    return LIMITS


@contextmanager
def serving(root: Path, limits: ApiOptions) -> Iterator[Client]:
    """A client of a server of this project."""
    with Engine(Workspace.open(root), EngineOptions(os.environ, isolated=False, drain=0)) as engine:
        token, _ = new_token(Workspace.open(root), "tester", ("read", "run", "admin"), None)
        listening = listen(make_api(engine, limits), "127.0.0.1", 0)
        try:
            yield Client(engine, listening, token)
        finally:
            engine.drain()
            listening.close()


@pytest.fixture
def client(root: Path, limits: ApiOptions) -> Iterator[Client]:
    with serving(root, limits) as client:
        yield client


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client for tests of requests that change nothing."""
    root = make_project(tmp_path_factory.mktemp("shared") / "project")
    with serving(root, LIMITS) as client:
        yield client
