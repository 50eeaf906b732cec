"""A sandbox as a separate process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import stripe


@dataclass(frozen=True)
class Served:
    """A running sandbox: its process, address, key and account."""

    process: subprocess.Popen[str]
    url: str
    key: str
    account: str

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control API. Returns the decoded response."""
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.url}/_sandbox{path}", data, method=method), timeout=10) as reply:
            return json.load(reply)

    def refused(self, method: str, path: str, body: Any) -> int:
        """The error status of a call to the control API."""
        with pytest.raises(HTTPError) as caught:
            self.control(method, path, body)
        return caught.value.code

    def client(self, **more: Any) -> stripe.StripeClient:
        """The SDK's client with only the address changed."""
        addresses: Any = {"api": self.url, "files": self.url}
        return stripe.StripeClient(self.key, base_addresses=addresses, **more)


@pytest.fixture(scope="session")
def start() -> Iterator[Callable[..., Served]]:
    """Start sandboxes with given arguments; they stop after the tests."""
    running: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> Served:
        command = [sys.executable, "-m", "engine.sandbox", "--until-stdin-closes", *arguments]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        return Served(process, ready["url"], ready["key"], ready["account"])

    yield run
    for process in running:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)


@pytest.fixture(scope="module")
def served(start: Callable[..., Served]) -> Served:
    """A small sandbox per module with two connected accounts and a frozen clock."""
    return start("--customers", "30", "--accounts", "2", "--frozen")


@pytest.fixture
def sandbox(served: Served) -> Served:
    """The module's sandbox in its initial state."""
    served.control("POST", "/reset")
    return served
