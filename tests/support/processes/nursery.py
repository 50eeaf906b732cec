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
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, NoReturn

import engine
import engine.cli
import engine.sandbox.__main__
from engine.app.running import sandbox
from engine.connectors.stripe import CONNECTOR
from tests.support.processes.dying import arm
from tests.support.processes.forks import Control, Process, fork
from tests.support.processes.haste import hasten


def serve_sandbox() -> NoReturn:
    """`python -m engine.sandbox`, up to its end."""
    code = 1
    try:
        code = engine.sandbox.__main__.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


BIN: Final = Path(sys.executable).parent
PROGRAMS: Final[Mapping[str, Callable[[], NoReturn]]] = {"weir": engine.cli.process, "engine.sandbox": serve_sandbox}
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
    """Forks on request, and reports who has ended. A child may ask too, on a control of its own."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._channels: dict[int, socket.socket] = {}
        self._ended, self._wake = socket.socketpair()
        for each in (self._ended, self._wake):
            each.setblocking(False)
        self._selector = selectors.DefaultSelector()
        for each in (control, self._ended):
            self._selector.register(each, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._wake.fileno())

    def serve(self) -> None:
        """Work until the first control closes. Whoever is there then is killed."""
        while True:
            for key, _ in self._selector.select():
                asking = key.fileobj
                assert isinstance(asking, socket.socket)
                if asking is self._ended:
                    self._reap()
                elif self._begin(asking):
                    continue
                elif asking is not self._control:
                    self._selector.unregister(asking)
                    asking.close()
                else:
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

    def _begin(self, asking: socket.socket) -> bool:
        """Fork one child; whether anybody asked for it."""
        request, given, _, _ = socket.recv_fds(asking, 1 << 16, DESCRIPTORS)
        while request and not request.endswith(b"\n"):
            request += asking.recv(1 << 16)
        if not request:
            return False
        channel = socket.socket(fileno=given.pop())
        ours, theirs = socket.socketpair()
        child = os.fork()
        if not child:
            ours.close()
            self._leave(channel)
            live(json.loads(request), given, Control(theirs))
        for each in (*given, theirs.detach()):
            os.close(each)
        self._selector.register(ours, selectors.EVENT_READ)
        self._channels[child] = channel
        _report(channel, child)
        return True

    def _leave(self, channel: socket.socket) -> None:
        """Close in a child what belongs to the parent."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        asking = [key.fileobj for key in self._selector.get_map().values()]
        self._selector.close()
        for each in (*asking, self._wake, channel, *self._channels.values()):
            assert isinstance(each, socket.socket)
            each.close()


def _report(channel: socket.socket, number: int) -> None:
    with suppress(BrokenPipeError):  # the test that asked does not wait
        channel.sendall(b"%d\n" % number)


def lend_sandbox(control: Control) -> None:
    """Have the embedded sandbox of this process be a child of the nursery: it costs no imports either."""

    def start(command: list[str], **given: Any) -> Process:
        arguments = command[command.index("engine.sandbox") + 1 :]
        return fork(
            Path.cwd(), arguments, given["env"], stdin=given["stdin"], stdout=given["stdout"],
            session=given["start_new_session"], program="engine.sandbox", control=control,
        )  # fmt: skip

    replaced = SimpleNamespace(**vars(subprocess) | {"Popen": start})
    sandbox.subprocess = replaced  # type: ignore[attr-defined]


def live(request: Mapping[str, Any], streams: list[int], control: Control) -> NoReturn:
    """Be the program as a shell would have started it."""
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
        lend_sandbox(control)
        if request["hasty"]:
            hasten()
        if request["die"] is not None:
            arm(*request["die"])
        PROGRAMS[request["program"]]()
    finally:
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    import_everything()
    Nursery(socket.socket(fileno=int(sys.argv[1]))).serve()
    os._exit(0)  # as `engine.cli.process`: nothing is taken apart
