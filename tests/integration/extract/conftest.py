"""Servers that stand in for Stripe, each in its own process."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox of the project."""

    url: str

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded response of the control API."""
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.url}/_sandbox{path}", data, method=method), timeout=10) as reply:
            return json.load(reply)


@pytest.fixture(scope="module")
def started() -> Iterator[Sandbox]:
    """A sandbox with a small business and a connected account."""
    command = [sys.executable, "-m", "engine.sandbox", "--until-stdin-closes", "--accounts", "2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Sandbox(json.loads(process.stdout.readline())["url"])
        process.stdin.close()
        process.wait(10)


@pytest.fixture
def sandbox(started: Sandbox) -> Iterator[Sandbox]:
    """The sandbox, reset to its initial state."""
    yield started
    started.control("POST", "/reset", {})
    started.control("DELETE", "/faults")


@pytest.fixture(scope="module")
def localstripe() -> Iterator[Callable[..., Any]]:
    """localstripe, an external double: call it with a method, a path and form fields; its address is `.url`."""
    program = Path(sys.executable).parent / "localstripe"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(program), "--port", str(port), "--from-scratch"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        call = LocalStripe(f"http://127.0.0.1:{port}")
        try:
            call.wait()
            yield call
        finally:
            process.terminate()
            process.wait(10)


@dataclass(frozen=True)
class LocalStripe:
    """A running localstripe."""

    url: str

    def __call__(self, method: str, path: str, form: str = "") -> Any:
        """The decoded response of its API."""
        request = Request(f"{self.url}{path}", form.encode() or None, method=method)
        request.add_header("Authorization", "Bearer sk_test_12345")
        with urlopen(request, timeout=10) as reply:
            return json.load(reply)

    def wait(self) -> None:
        """Wait until it responds."""
        for _ in range(200):
            try:
                self("GET", "/v1/customers")
            except (URLError, ConnectionError):
                time.sleep(0.05)
            else:
                return
        raise AssertionError("localstripe did not start")
