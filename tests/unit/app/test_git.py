"""The commit and the user that a run records."""

from __future__ import annotations

import subprocess
from pathlib import Path

from engine.app.git import git_commit, user_name


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.test"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_commit_is_marked_when_definitions_differ(tmp_path: Path) -> None:
    assert git_commit(tmp_path) is None
    (tmp_path / "connections").mkdir()
    (tmp_path / "connections" / "a.yaml").write_text("kind: connection\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert git_commit(tmp_path) == head
    (tmp_path / "notes.txt").write_text("not a definition")
    assert git_commit(tmp_path) == head
    (tmp_path / "connections" / "a.yaml").write_text("kind: connection\nname: x\n")
    assert git_commit(tmp_path) == f"{head}+changes"


def test_user_name_is_not_empty() -> None:
    assert user_name()
