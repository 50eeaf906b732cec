"""Who runs, which commit of the project, and what its definitions were at another one.

The folder may be a pull request's: whatever it holds must not make Git run a program. The repository is therefore the
one around the project (never a bare one *in* it), and everything by which Git starts something else is switched off.
"""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

_LINK: Final = "120000"
_FILES: Final = ("100644", "100755")
_DEFINITIONS: Final = ("connections", "interfaces", "schemas", "weir.yaml")
_SETTINGS: Final = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.sshCommand": "false",
    "core.askPass": "false",
    "core.pager": "cat",
    "credential.helper": "",
    "protocol.allow": "never",
    "safe.bareRepository": "explicit",
    "submodule.recurse": "false",
    "uploadpack.packObjectsHook": "",
}
"""They win over the repository's: each names a program, or a way to reach another repository."""
_ENVIRONMENT: Final = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
}


class GitError(Exception):
    """Git is not there, or does not do it: `str` is what it says."""


def git_commit(root: Path) -> str | None:
    """The commit that the project's folder is at, with `+changes` when definitions differ from it; None outside Git."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return None
    status = ("status", "--porcelain", "--ignore-submodules=all", "--", *_DEFINITIONS)
    changed = _git(root, *status, settings=_without_filters(root))
    return commit if changed == "" else f"{commit}+changes"


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
        head = answer[at:head_end].split(b" ")
        if len(head) != 3:  # `<id> missing`: a partial or damaged clone
            raise GitError("the clone lacks objects of that commit: `git fetch --refetch --no-filter`")
        size = int(head[2])
        yield answer[head_end + 1 : head_end + 1 + size]
        at = head_end + 1 + size + 1


def _without_filters(root: Path) -> dict[str, str]:
    """Settings that switch off the filters that the repository declares.

    Which file passes which filter is written in `.gitattributes`, and what a filter runs may be a file of the project.
    """
    listed = _git(root, "config", "--name-only", "-z", "--get-regexp", r"^filter\.") or ""
    drivers = {name.removeprefix("filter.").rpartition(".")[0] for name in listed.split("\0") if name}
    return {
        f"filter.{driver}.{key}": "false" if key == "required" else ""
        for driver in sorted(drivers)
        for key in ("clean", "smudge", "process", "required")
    }


def user_name() -> str:
    """The operating system's name for whoever runs us."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _git(root: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> str | None:
    try:
        return _bytes(root, *arguments, settings=settings).decode(errors="surrogateescape").strip()
    except GitError:
        return None


def _demand(root: Path, *arguments: str) -> str:
    return _bytes(root, *arguments).decode(errors="surrogateescape")


def _bytes(root: Path, *arguments: str, given: bytes = b"", settings: Mapping[str, str] | None = None) -> bytes:
    """What Git prints when it is `given` this. GitError when it is not there or refuses."""
    path = _absolute_path()
    program = shutil.which("git", path=path)
    if program is None:
        raise GitError("Git is not installed")
    where = _repository(root)
    command = [program, f"--git-dir={where / '.git'}", f"--work-tree={where}", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - arguments are ours or behind --end-of-options, no shell
            command,
            cwd=root,
            env={"PATH": path, **_ENVIRONMENT, **_as_environment({**_SETTINGS, **(settings or {})})},
            input=given,
            capture_output=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitError(f"git {arguments[0]}: {error}") from None
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise GitError(lines[0] if lines else f"`git {arguments[0]}` failed")
    return done.stdout


def _as_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings as Git reads them from its environment, where their names may hold any character."""
    pairs: dict[str, str] = {}
    for number, (name, value) in enumerate(settings.items()):
        pairs |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return {"GIT_CONFIG_COUNT": str(len(settings)), **pairs}


def _repository(root: Path) -> Path:
    """The working tree around the project. Git itself would take a bare repository that the project contains."""
    resolved = root.resolve()
    for folder in (resolved, *resolved.parents):
        if (folder / ".git").exists():
            return folder
    raise GitError("not a git repository")


def _absolute_path() -> str:
    """PATH without entries that depend on the working directory: `git` in the project is not Git."""
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(each for each in entries if Path(each).is_absolute())
