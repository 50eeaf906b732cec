"""`weir watch` as a process, and what it prints."""

from __future__ import annotations

import io
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes.command import bare_environment
from tests.support.processes.forks import fork

BOUND = 60.0
"""Seconds that anything may take: far more than it ever does."""


class Watch:
    """The process. Its lines arrive on a thread."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._process = fork(
            folder,
            ("watch", *arguments),
            bare_environment({"COLUMNS": "120", "NO_COLOR": "1"}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._printed = ""
        self._told = 0
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def until(self, text: str) -> str:
        """What was printed since the last call, up to and with the line that holds this."""
        end = time.monotonic() + BOUND
        with self._news:
            while (found := self._printed.find(text, self._told)) == -1:
                assert self._news.wait(end - time.monotonic()), f"no `{text}` in:\n{self._printed[self._told :]}"
                assert self._process.poll() is None or text in self._printed[self._told :], self._printed
            stop = self._printed.find("\n", found)
            start, self._told = self._told, stop if stop != -1 else len(self._printed)
            return self._printed[start : self._told]

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """Interrupt it. Its exit code, and what it printed since the last call."""
        self._process.send_signal(number)
        code = self._process.wait(BOUND)
        self._reader.join(BOUND)
        return code, self._printed[self._told :]

    def close(self) -> None:
        """End it, however it is."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(BOUND)
        self._reader.join(BOUND)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with io.TextIOWrapper(self._process.stdout) as stream:
            for line in stream:
                with self._news:
                    self._printed += line
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()


@contextmanager
def watch(folder: Path, *arguments: str) -> Iterator[Watch]:
    """The command at work on the project in the folder."""
    process = Watch(folder, *arguments)
    try:
        yield process
    finally:
        process.close()
