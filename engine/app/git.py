"""Who runs, and which commit of the project."""

from __future__ import annotations

import getpass
import shutil
import subprocess
from pathlib import Path


def git_commit(root: Path) -> str | None:
    """The commit that the project's folder is at, with `+changes` when definitions differ from it; None outside Git."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = _git(root, "status", "--porcelain", "--", "connections", "interfaces", "schemas", "weir.yaml")
    return f"{commit}+changes" if changed else commit


def git_root(root: Path) -> Path | None:
    """The working tree's root around the project's folder."""
    found = _git(root, "rev-parse", "--show-toplevel")
    return Path(found) if found else None


def user_name() -> str:
    """The operating system's name for whoever runs us."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _git(root: Path, *arguments: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            [program, "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
