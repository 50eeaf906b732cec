"""A Git repository of a test, independent of the settings of the user."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Repository:
    """The folder as the working tree of a new repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        """The output of a Git command."""
        done = subprocess.run(["git", *arguments], cwd=self.folder, env=_environment(), capture_output=True, check=True)
        return done.stdout.decode().strip()

    def commit(self, message: str) -> str:
        """Commit all files; the ID of the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.git("rev-parse", "HEAD")


def _environment() -> dict[str, str]:
    """The environment without Git's names, settings, and the repository that a hook runs in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    author = {f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {**kept, **author, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
