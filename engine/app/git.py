"""Who runs, which commit of the project, and what its definitions were at another one."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

_LINK: Final = "120000"
_FILES: Final = ("100644", "100755")


class GitError(Exception):
    """Git is not there, or does not do it: `str` is what it says."""


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


def demand_commit(root: Path) -> None:
    """GitError, in Git's words, when the folder is in no repository or nothing was committed there yet."""
    _demand(root, "rev-parse", "--show-toplevel")
    try:
        _demand(root, "rev-parse", "--verify", "--quiet", "HEAD")
    except GitError:
        raise GitError("nothing was committed yet") from None


def merge_base(root: Path, revision: str) -> str:
    """The commit at which the work of HEAD parted from `revision`. GitError says why there is none."""
    named = _demand(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()
    return _demand(root, "merge-base", named, "HEAD").strip()


def write_tree(root: Path, commit: str, paths: Sequence[str], folder: Path) -> None:
    """What the project at `root` had at these paths in a commit, as files below `folder`; what it had not is left out.

    Links are made as they are, with what they lead to where that is in the project: whoever reads the folder decides
    which of them to follow. GitError says what failed.
    """
    asked: set[str] = set()
    while wanted := [path for path in paths if path not in asked]:
        asked.update(wanted)
        links = _write(root, commit, wanted, folder)
        paths = [path for link in links if (path := _target(link, folder)) is not None]


def _write(root: Path, commit: str, paths: Sequence[str], folder: Path) -> list[Path]:
    """Write what was at these paths, and give the links among it."""
    listed = list(_entries(_demand(root, "ls-tree", "-r", "-z", commit, "--", *paths)))
    links = []
    for (mode, _, name), raw in zip(listed, _contents(root, [each for _, each, _ in listed]), strict=True):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if mode == _LINK:
            target.symlink_to(raw.decode(errors="surrogateescape"))
            links.append(target)
        else:
            target.write_bytes(raw)
    return links


def _target(link: Path, folder: Path) -> str | None:
    """The path in the project that a link leads to, if that is not there yet."""
    if link.exists():
        return None
    led = os.path.normpath(link.parent / link.readlink())
    path = os.path.relpath(led, folder)
    return None if path.startswith("..") else path


def _entries(listing: str) -> Iterator[tuple[str, str, str]]:
    """(mode, object, path) of the files and links; not of submodules."""
    for line in listing.split("\0"):
        if line:
            head, _, name = line.partition("\t")
            mode, _, identity = head.split(" ")
            if mode in (_LINK, *_FILES):
                yield mode, identity, name


def _contents(root: Path, identities: Sequence[str]) -> Iterator[bytes]:
    """The bytes of these objects, in their order."""
    answer = _bytes(root, "cat-file", "--batch", given="".join(f"{each}\n" for each in identities).encode())
    at = 0
    for _ in identities:
        head_end = answer.index(b"\n", at)
        size = int(answer[at:head_end].split(b" ")[2])
        yield answer[head_end + 1 : head_end + 1 + size]
        at = head_end + 1 + size + 1


def user_name() -> str:
    """The operating system's name for whoever runs us."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _git(root: Path, *arguments: str) -> str | None:
    try:
        return _demand(root, *arguments).strip()
    except GitError:
        return None


def _demand(root: Path, *arguments: str) -> str:
    return _bytes(root, *arguments).decode(errors="surrogateescape")


def _bytes(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    """What Git prints when it is `given` this. GitError when it is not there or refuses."""
    program = shutil.which("git")
    if program is None:
        raise GitError("Git is not installed")
    try:
        done = subprocess.run(  # noqa: S603 - arguments are ours or behind --end-of-options, no shell
            [program, "-C", str(root), *arguments], capture_output=True, timeout=30, check=False, input=given
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitError(f"git {arguments[0]}: {error}") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise GitError(said[0] if said else f"git {arguments[0]} says no")
    return done.stdout
