"""The embedded sandbox lives exactly as long as the process that started it and never receives a real key."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from engine.app.running.sandbox import embedded_sandbox
from engine.connector.sandbox import SANDBOX_KEY

PARENT = """
import os, sys, time
from engine.app.running.sandbox import embedded_sandbox
with embedded_sandbox(os.environ) as sandbox:
    print(sandbox.url, flush=True)
    time.sleep(60)
"""


def is_listening(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((str(parts.hostname), int(parts.port or 0))) == 0


@pytest.mark.process
def test_embedded_sandbox_answers_and_stops_with_its_context() -> None:
    with embedded_sandbox({**os.environ, "STRIPE_SECRET_KEY": "sk_test_real"}) as sandbox:
        assert sandbox.key == SANDBOX_KEY
        request = Request(f"{sandbox.url}/v1/customers?limit=1", headers={"Authorization": f"Bearer {sandbox.key}"})
        with urlopen(request, timeout=10) as answer:
            assert json.load(answer)["data"][0]["object"] == "customer"
        processes = [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"engine.sandbox" in _read(path)]
        assert processes
        assert not any(b"sk_test_real" in _read(path.with_name("environ")) for path in processes)
    assert not is_listening(sandbox.url)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.process
def test_embedded_sandbox_stops_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    url = parent.stdout.readline().strip()
    assert is_listening(url)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 10
    while is_listening(url) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_listening(url)
