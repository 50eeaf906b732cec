"""One process that has imported all of Weir and forks: a `weir` that starts here costs no imports.

A child is a process like any other: it has its own streams, environment, folder and signals, and may be killed. What it
does not have is a fresh interpreter: a test about start-up or about the order of hashes uses `command.started_weir`.

Each request is a line of JSON on the control socket, with four descriptors: the child's stdin, stdout and stderr, and a
channel. On the channel the child's process id comes at once, and its exit status when it ends, a line each.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn

import engine
import engine.cli
from engine.connectors.stripe import CONNECTOR
from tests.support.processes.dying import arm
from tests.support.processes.haste import hasten

BIN: Final = Path(sys.executable).parent
DESCRIPTORS: Final = 4
LATE: Final = ("aiohttp.connector", "duckdb", "rich.progress", "sqlalchemy.dialects.sqlite", "uvicorn.server")
"""What other packages import at their first use."""


def import_everything() -> None:
    """Import every module of the engine, and what reading the first definition would."""
    for module in pkgutil.walk_packages(engine.__path__, "engine."):
        if not module.name.endswith(".__main__") and not module.name.endswith("isolated_child"):
            import_module(module.name)
    for name in LATE:
        import_module(name)
    CONNECTOR.catalogue(None)
    assert threading.active_count() == 1, "a thread does not survive a fork"
    gc.freeze()  # the children share what is there


class Nursery:
    """Forks on request, and reports who has ended."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._channels: dict[int, socket.socket] = {}
        self._ended, wake = socket.socketpair()
        for each in (self._ended, wake):
            each.setblocking(False)
        self._wake = wake
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(wake.fileno())

    def serve(self) -> None:
        """Work until the control socket closes. Whoever is there then is killed."""
        with selectors.DefaultSelector() as self._selector:
            self._selector.register(self._control, selectors.EVENT_READ)
            self._selector.register(self._ended, selectors.EVENT_READ)
            while True:
                for key, _ in self._selector.select():
                    if key.fileobj is self._ended:
                        self._reap()
                    elif not self._begin():
                        for child in self._channels:
                            os.kill(child, signal.SIGKILL)
                        return

    def _reap(self) -> None:
        self._ended.recv(4096)
        for child in list(self._channels):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                with self._channels.pop(child) as channel:
                    _report(channel, os.waitstatus_to_exitcode(status))

    def _begin(self) -> bool:
        """Fork one child; whether anybody asked for it."""
        request, given, _, _ = socket.recv_fds(self._control, 1 << 16, DESCRIPTORS)
        while request and not request.endswith(b"\n"):
            request += self._control.recv(1 << 16)
        if not request:
            return False
        channel = socket.socket(fileno=given.pop())
        child = os.fork()
        if not child:
            self._leave(channel)
            live(json.loads(request), given)
        for each in given:
            os.close(each)
        self._channels[child] = channel
        _report(channel, child)
        return True

    def _leave(self, channel: socket.socket) -> None:
        """Close in a child what belongs to the parent."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for each in (self._control, self._ended, self._wake, channel, *self._channels.values()):
            each.close()


def _report(channel: socket.socket, number: int) -> None:
    with suppress(BrokenPipeError):  # the test that asked does not wait
        channel.sendall(b"%d\n" % number)


def live(request: Mapping[str, Any], streams: list[int]) -> NoReturn:
    """Be `weir` as a shell would have started it."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)
    if request["session"]:
        os.setsid()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    tempfile.tempdir = None
    sys.argv = [str(BIN / "weir"), *request["arguments"]]
    sys.path[0] = str(BIN)
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115 - for as long as it lives
    sys.stderr = open(2, "w", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    try:
        for place in filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)):
            sys.path.insert(1, place)
            custom = Path(place) / "sitecustomize.py"
            if custom.exists():
                exec(compile(custom.read_text(), str(custom), "exec"), {})
        if request["hasty"]:
            hasten()
        if request["die"] is not None:
            arm(*request["die"])
        engine.cli.process()
    finally:
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    import_everything()
    Nursery(socket.socket(fileno=int(sys.argv[1]))).serve()
    os._exit(0)  # as `engine.cli.process`: nothing is taken apart
