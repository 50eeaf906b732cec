"""Runs of `weir` that cost no start: see `nursery`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.processes.command import ROOT


@dataclass(frozen=True)
class Running:
    """A run that was begun, and the file that its standard output goes to."""

    pid: int
    out: Path


class Nursery:
    """Use as a context: whoever is still there at the end is not waited for."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.processes.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._begun = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()

    def _ask(self, **asked: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def start(self, folder: Path, *arguments: str, die: tuple[str | None, int] | None = None) -> Running:
        """Begin `weir` with these arguments; it dies at a point of `dying.POINTS`, at the so-manyth time."""
        self._begun += 1
        out = folder / f"out-{self._begun}"
        told = self._ask(
            do="start", folder=str(folder), arguments=arguments, out=str(out), die=die, environment=self._environment
        )
        return Running(told["pid"], out)

    def wait(self, running: Running) -> int:
        """The exit code of a run, once it is over; negative: the signal that ended it."""
        return int(self._ask(do="wait", pid=running.pid)["code"])

    def run(self, folder: Path, *arguments: str, die: tuple[str | None, int] | None = None) -> int:
        """Begin `weir` and wait."""
        return self.wait(self.start(folder, *arguments, die=die))

    def succeed(self, folder: Path, *arguments: str, die: tuple[str | None, int] | None = None) -> list[str]:
        """The lines that a run prints, which must end well."""
        running = self.start(folder, *arguments, die=die)
        code = self.wait(running)
        assert code == 0, f"exit code {code}\n{running.out.read_text()}\n{running.out.with_suffix('.err').read_text()}"
        return running.out.read_text().splitlines()
