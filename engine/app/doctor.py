"""Looking at the environment that runs would have."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from engine.connector import Failure
from engine.connector.installed import installed_connectors
from engine.connector.sandbox import SANDBOX
from engine.connector.secrets import resolve_secret
from engine.diagnostics import plural

from .checking.check import Checked, check_project
from .errors import RefusalError
from .state import StatePaths
from .workspace import Workspace

_LIBRARIES = ("duckdb", "pydantic", "sqlalchemy", "aiohttp")
_LITTLE_SPACE = 2 * 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. A problem would keep a run from working."""

    name: str
    verdict: Literal["ok", "warning", "problem"]
    message: str


def examine(workspace: Workspace, environment: Mapping[str, str]) -> list[Finding]:
    """Everything that can be seen without reaching a provider."""
    return [*_versions(), *_project(workspace, environment), *_state(workspace.paths)]


def _versions() -> Iterator[Finding]:
    own = (name for connector in installed_connectors().values() for name in connector.libraries)
    names = tuple(dict.fromkeys((*_LIBRARIES, *own)))
    libraries = ", ".join(f"{name} {_version(name)}" for name in names)
    yield Finding("weir", "ok", f"{_version('weir')} on Python {platform.python_version()}, {platform.platform()}")
    missing = [name for name in names if _version(name) == "missing"]
    yield Finding("libraries", "problem" if missing else "ok", libraries)
    if shutil.which("git") is None:
        yield Finding("git", "warning", "not installed: runs are recorded without the commit")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _project(workspace: Workspace, environment: Mapping[str, str]) -> Iterator[Finding]:
    root = workspace.root
    try:
        workspace.demand_project()
    except RefusalError:
        yield Finding("project", "warning", f"none at {root}: `weir init DIR` starts one")
        return
    checked = check_project(workspace)
    project = checked.project
    found = (("connection", project.connections), ("interface", project.interfaces), ("table", project.tables))
    counts = ", ".join(plural(len(items), noun) for noun, items in found)
    if checked.has_errors:
        yield Finding("project", "problem", f"{root}: `weir validate` says what is wrong with the definitions")
    else:
        yield Finding("project", "ok", f"{root}: {counts}")
    yield from _secrets(checked, environment)


def _secrets(checked: Checked, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether each connection's secret is there; never what it is. Commands and keyrings are not tried."""

    for connection in checked.project.connections.values():
        name = f"secret of {connection.name}"
        kind, argument = connection.spec.client_secret.reference
        if connection.spec.base_url == SANDBOX:
            yield Finding(name, "ok", "not needed: the embedded sandbox has a key of its own")
        elif kind in ("command", "keyring"):
            yield Finding(name, "ok", f"asked from a {kind} when it is needed")
        else:
            found = resolve_secret(kind, argument, environment, base=checked.tree.root)
            if isinstance(found, Failure):
                verdict: Literal["warning", "problem"] = "problem" if connection.spec.is_active else "warning"
                yield Finding(name, verdict, f"{found.message}: {found.hint}" if found.hint else found.message)
            else:
                yield Finding(name, "ok", f"is there ({kind} `{argument}`)")


def _state(paths: StatePaths) -> Iterator[Finding]:
    nearest = next(folder for folder in (paths.folder, *paths.folder.parents) if folder.exists())
    if not os.access(nearest, os.W_OK):
        yield Finding("state", "problem", f"`{nearest}` cannot be written")
        return
    files = [file for file in paths.folder.rglob("*") if file.is_file()] if paths.folder.is_dir() else []
    size = sum(file.stat().st_size for file in files)
    yield Finding(
        "state", "ok", f"{paths.folder}: {size / 2**20:.1f} MB" if files else f"{paths.folder}: not there yet"
    )
    yield from _run_state(paths)
    free = shutil.disk_usage(nearest).free
    verdict: Literal["ok", "warning"] = "ok" if free > _LITTLE_SPACE else "warning"
    yield Finding("disk", verdict, f"{free / 2**30:.1f} GB free")


def _run_state(paths: StatePaths) -> Iterator[Finding]:
    if not paths.runs.exists():
        return
    try:
        with sqlite3.connect(f"file:{paths.runs}?mode=ro", uri=True) as connection:
            answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        yield Finding("run state", "problem", f"{paths.runs.name} cannot be read: {error}")
        return
    yield Finding("run state", "ok" if answer == "ok" else "problem", f"{paths.runs.name}: {answer}")
