"""Which limiters share their buckets: those of one key at one address, on one machine."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from tempfile import gettempdir
from typing import Final

from engine.connector.sandbox import SANDBOX

from .buckets import Buckets, FileBuckets, MemoryBuckets
from .settings import Key, Settings

_ABANDONED_SECONDS: Final = 7 * 86_400.0


def shared_buckets(settings: Settings, key: Key, environment: Mapping[str, str]) -> Buckets:
    """The buckets of this key, which every process of this user on this machine shares; connected accounts use the
    platform's key, so they take part in the platform's.

    Where no folder is writable, at least the clients of this process share them. An embedded sandbox has a well-known
    key: nothing is shared.
    """
    if settings.secret[0] == SANDBOX:
        return MemoryBuckets()
    name = blake2b(f"{settings.base_url}\n{key.secret.reveal()}".encode(), digest_size=16).hexdigest()
    for folder in _folders(environment):
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sweep(folder)
            return FileBuckets(folder / f"limits-{name}", time.monotonic)
    return _of_this_process(name)


def _folders(environment: Mapping[str, str]) -> list[Path]:
    """Candidate folders. The first is the same for a cron job and a terminal."""
    found = [Path(environment.get("TMPDIR") or gettempdir()) / f"weir-{os.geteuid()}"]
    runtime, home = environment.get("XDG_RUNTIME_DIR"), environment.get("HOME")
    cache_folder = environment.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else None)
    return found + [Path(folder) / "weir" for folder in (runtime, cache_folder) if folder]


def _sweep(folder: Path) -> None:
    """Delete the files of keys that have not been used for long."""
    for file in folder.glob("limits-*"):
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > _ABANDONED_SECONDS:
                file.unlink()


@cache
def _of_this_process(_name: str) -> MemoryBuckets:
    """The stage function is given JSON and nothing else, so this is the one place where its calls can meet."""
    return MemoryBuckets()
