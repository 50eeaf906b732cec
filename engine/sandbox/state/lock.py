"""One folder of state, one sandbox: whoever comes second uses the one that runs.

`held` is locked by the process that serves the world, and says where it is served. `users` is locked by everybody who
uses it from outside; its holder ends only when nobody does. Both locks go with their process, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Any, Final

import msgspec

PAUSE_SECONDS: Final = 0.02
JOIN_SECONDS: Final = 20.0
WORLD: Final = "world.db"


class StateLockedError(Exception):
    """Another process holds the state; the message says which, and where it serves it."""


class StateLock:
    """A folder that is this process's own until it ends."""

    def __init__(self, folder: Path, held: int) -> None:
        self.file = folder / WORLD
        self._folder = folder
        self._held = held

    def announce(self, ready: dict[str, Any]) -> None:
        """Let others know where the world is served."""
        os.pwrite(self._held, msgspec.json.encode({**ready, "pid": os.getpid()}) + b"\n", 0)

    def close_to_others(self) -> bool:
        """Let nobody else in any more, if nobody is in; whether that is so."""
        descriptor = _open(self._folder / "users")
        if _locked(descriptor, fcntl.LOCK_EX):
            return True
        os.close(descriptor)
        return False


def acquire(folder: Path) -> StateLock:
    """Make the folder this process's own; StateLockedError when it is another's, OSError when it cannot be made."""
    found = _acquire(folder)
    if found is not None:
        return found
    running = _read(folder) or {}
    where = f" and serves it at {running['url']}" if running else ""
    raise StateLockedError(f"process {running.get('pid', '?')} holds the state in {folder}{where}")


def acquire_or_join(folder: Path, seconds: float = JOIN_SECONDS) -> StateLock | dict[str, Any]:
    """Make the folder this process's own, or say where it is served; that one then stays as long as this process does.

    StateLockedError when neither is possible within these seconds, OSError when the folder cannot be made.
    """
    deadline = time.monotonic() + seconds
    users = -1
    while True:
        if users < 0:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            users = _open(folder / "users")
        if _locked(users, fcntl.LOCK_SH):
            found = _acquire(folder)
            if found is not None:
                os.close(users)
                return found
            running = _read(folder)
            if running is not None:
                return running
        if time.monotonic() > deadline:
            return acquire(folder)
        time.sleep(PAUSE_SECONDS)


def _acquire(folder: Path) -> StateLock | None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = _open(folder / "held")
    if not _locked(descriptor, fcntl.LOCK_EX):
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    return StateLock(folder, descriptor)


def _read(folder: Path) -> dict[str, Any] | None:
    """What the holder has announced; None while it is not ready: then it may be what one before it has left."""
    text = (folder / "held").read_bytes()
    if not text.endswith(b"\n"):
        return None
    found: dict[str, Any] = msgspec.json.decode(text)
    return found if _lives(found["pid"]) else None


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is another user's
        return True
    return True


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
