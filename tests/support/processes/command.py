"""The command as a process, in a project of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes.forks import ROOT, fork

WEIR = Path(sys.executable).parent / "weir"
NO_NETWORK = """
import socket

def refuse(*_arguments, **_options):
    raise AssertionError("this verb must not use the network")

socket.socket.connect = refuse
socket.socket.connect_ex = refuse
socket.getaddrinfo = refuse
"""


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    def succeeded(self) -> Done:
        """The same, checked to have ended well."""
        assert self.code == 0, f"exit code {self.code}\n{self.out}\n{self.err}"
        return self


def bare_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """What any program needs, and `environment`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, **(environment or {})}


def weir(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout: float = 120,
    hasty: bool = False,
    die: tuple[str | None, int] | None = None,
) -> Done:
    """Run `weir` in `folder` with a bare environment and `environment`, in a process that costs no imports.

    `hasty` and `die` as `fork` takes them.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        process = fork(
            folder,
            arguments,
            bare_environment({"COLUMNS": "120", **(environment or {})}),
            stdin=given.fileno(),
            stdout=out.fileno(),
            stderr=err.fileno(),
            hasty=hasty,
            die=die,
        )
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        for stream in (out, err):
            stream.seek(0)
        return Done(code, out.read().decode(), err.read().decode())


def started_weir(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None, stdin: str = "", timeout: float = 120
) -> Done:
    """As `weir`, in a fresh interpreter, as a shell starts it."""
    done = subprocess.run(
        [str(WEIR), *arguments],
        cwd=folder,
        env=bare_environment({"COLUMNS": "120", **(environment or {})}),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def shipped_project(folder: Path) -> Path:
    """A copy of the definitions that come with the repository."""
    for name in ("connections", "interfaces", "schemas"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def without_network(folder: Path) -> dict[str, str]:
    """Variables that make a Python process refuse every connection."""
    guard = folder / "guard"
    guard.mkdir(exist_ok=True)
    (guard / "sitecustomize.py").write_text(NO_NETWORK)
    return {"PYTHONPATH": str(guard)}
