"""A sandbox in its own process; all its writes are checked against the SDK's source."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from engine.connectors.stripe.write.writer import StripeWriter
from tests.support.stripe.conformance import read_schemas


@dataclass(frozen=True)
class Sandbox:
    """A running, empty sandbox."""

    url: str

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded response of the control API."""
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.url}/_sandbox{path}", data, method=method), timeout=10) as reply:
            return json.load(reply)

    def fail(self, kind: str, method: str = "POST", **more: Any) -> None:
        """Set a fault for requests of a method."""
        self.control("POST", "/faults", {"kind": kind, "method": method, **more})

    def act(self, method: str, path: str, **params: str) -> Any:
        """Change something at the provider, bypassing keys, limits, faults and the trace of requests."""
        return self.control("POST", "/act", {"method": method, "path": path, "params": params})

    def objects(self, path: str) -> list[Any]:
        """All objects of a list, oldest first."""
        found = self.control("POST", "/act", {"method": "GET", "path": path, "params": {"limit": "100"}})
        return list(reversed(found["data"]))

    def retrieve(self, path: str) -> Any:
        """An object, or None if it does not exist."""
        try:
            found = self.act("GET", path)
        except HTTPError:
            return None
        return None if "error" in found else found

    def writes(self) -> list[dict[str, Any]]:
        """The writes that reached the sandbox."""
        return [each for each in self.control("GET", "/requests") if each["method"] != "GET"]

    def writer(self, **changes: Any) -> StripeWriter:
        """A writer to this sandbox with short pauses."""
        retry = {"first": 0.001, "longest": 0.01, "tries": 5, **changes.pop("retry", {})}
        return StripeWriter({"base_url": self.url, "secret": ["sandbox", ""], "retry": retry, **changes})


@pytest.fixture(scope="session")
def started() -> Iterator[Sandbox]:
    """A sandbox with a clock that stands still."""
    arguments = ["--until-stdin-closes", "--size", "empty", "--frozen"]
    command = [sys.executable, "-m", "engine.sandbox", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Sandbox(json.loads(process.stdout.readline())["url"])
        process.stdin.close()
        process.wait(10)


@pytest.fixture
def sandbox(started: Sandbox) -> Iterator[Sandbox]:
    """The sandbox in its initial state. Asserts that the SDK could make every write of the test."""
    started.control("POST", "/reset", {})
    started.control("DELETE", "/faults")
    started.control("DELETE", "/requests")
    yield started
    problems = [problem for each in started.writes() for problem in read_schemas().check(each)]
    assert problems == []


def form(**params: str) -> str:
    """The text of a form."""
    return urlencode(params)
