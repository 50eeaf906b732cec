"""The command as a process, in a project of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
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


def weir(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None, stdin: str = "", timeout: float = 120
) -> Done:
    """Run `weir` in `folder` with an environment that holds nothing but what is needed, and `environment`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    done = subprocess.run(
        [str(WEIR), *arguments],
        cwd=folder,
        env={**kept, "COLUMNS": "120", **(environment or {})},
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
