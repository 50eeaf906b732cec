"""`weir` as a process that costs no imports: see `nursery`."""

from __future__ import annotations

import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

ROOT = Path(__file__).parents[3]


class Process:
    """A running `weir`, with the methods of `subprocess.Popen` that tests need."""

    def __init__(self, arguments: Sequence[str], channel: socket.socket, ends: Sequence[IO[bytes] | None]) -> None:
        self._arguments = arguments
        self._channel = channel
        self._told = b""
        self.stdin, self.stdout, self.stderr = ends
        self.returncode: int | None = None
        self._read(60, 1)
        self.pid = int(self._told.partition(b"\n")[0])

    def _read(self, seconds: float | None, lines: int) -> bool:
        """Wait for so many lines on the channel; whether they came."""
        end = None if seconds is None else time.monotonic() + seconds
        while self._told.count(b"\n") < lines:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([self._channel], [], [], left)[0]:
                return False
            part = self._channel.recv(64)
            assert part, "the nursery has died"
            self._told += part
        return True

    def poll(self) -> int | None:
        """The exit code if the process is over; negative: the signal that ended it."""
        if self.returncode is None and self._read(0, 2):
            self.returncode = int(self._told.split(b"\n")[1])
            self._channel.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once the process is over. `subprocess.TimeoutExpired` as `Popen` raises it."""
        if self.returncode is None and not self._read(timeout, 2):
            raise subprocess.TimeoutExpired(list(self._arguments), timeout or 0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        """Send it, unless the process is over."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """As a machine that loses power."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to stop."""
        self.send_signal(signal.SIGTERM)

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """What it prints until both pipes are closed, and wait. Somebody else must not keep a pipe."""
        found: dict[str, bytes] = {}

        def read(name: str, stream: IO[bytes]) -> None:
            found[name] = stream.read()

        streams = {"out": self.stdout, "err": self.stderr}
        readers = [
            threading.Thread(target=read, args=(name, each), daemon=True) for name, each in streams.items() if each
        ]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join(timeout)
            assert not reader.is_alive(), "somebody still has the pipe"
        return found.get("out", b""), found.get("err", b"")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                stream.close()
        self.wait(60)


class Control:
    """A way to ask a nursery for children."""

    def __init__(self, control: socket.socket) -> None:
        self._control, self._lock = control, threading.Lock()

    def close(self) -> None:
        """Ask for nothing any more."""
        self._control.close()

    def ask(self, request: bytes, descriptors: Sequence[int]) -> None:
        """Send a request, as `nursery` has it."""
        with self._lock:
            sent = socket.send_fds(self._control, [request], descriptors)
            self._control.sendall(request[sent:])


class _Nursery(Control):
    """The process that forks, for as long as this one lives."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        super().__init__(ours)
        command = [sys.executable, "-m", "tests.support.processes.nursery", str(theirs.fileno())]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True
        )
        theirs.close()

    def close(self) -> None:
        """Have it end with all its children, and wait."""
        super().close()
        self._process.wait(20)


@functools.cache
def _nursery() -> _Nursery:
    return _Nursery()


def close_nursery() -> None:
    """End what `fork` has started; the next `fork` starts it again."""
    if _nursery.cache_info().currsize:
        _nursery().close()
        _nursery.cache_clear()


def fork(
    folder: Path,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
    session: bool = False,
    hasty: bool = False,
    die: tuple[str | None, int] | None = None,
    program: str = "weir",
    control: Control | None = None,
) -> Process:
    """Begin `weir`, or another program of `nursery.PROGRAMS`, in `folder`.

    Streams are descriptors, `subprocess.PIPE`, `subprocess.STDOUT`, or None for nothing.

    `session` makes it the leader of a session of its own, `hasty` shortens the pauses between the tries of a request,
    and `die` is what `dying.arm` takes. A child of a nursery has its own `control` of it.
    """
    request = {
        "folder": str(folder), "arguments": [*map(str, arguments)], "environment": dict(environment),
        "session": session, "hasty": hasty, "die": die, "program": program,
    }  # fmt: skip
    ours, theirs = socket.socketpair()
    with _streams(stdin, stdout, stderr) as (given, ends):
        (control or _nursery()).ask(json.dumps(request).encode() + b"\n", [*given, theirs.fileno()])
        theirs.close()
    return Process(arguments, ours, ends)


@contextmanager
def _streams(*streams: int | None) -> Iterator[tuple[list[int], list[IO[bytes] | None]]]:
    """The descriptors of the child for stdin, stdout and stderr, and our ends of its pipes."""
    null = os.open(os.devnull, os.O_RDWR)
    opened, given = [null], list[int]()
    ends: list[IO[bytes] | None] = [None, None, None]
    for number, stream in enumerate(streams):
        if stream == subprocess.PIPE:
            reader, writer = os.pipe()
            theirs, ours = (reader, writer) if number == 0 else (writer, reader)
            opened.append(theirs)
            ends[number] = os.fdopen(ours, "wb" if number == 0 else "rb")
            given.append(theirs)
        elif stream == subprocess.STDOUT:
            given.append(given[1])
        else:
            given.append(null if stream is None else stream)
    try:
        yield given, ends
    finally:
        for each in opened:
            os.close(each)
