"""One folder of state, one sandbox: later processes use the running one.

The process that serves the world locks `held`, which contains its address. Other processes that use the sandbox share
a lock on `users`; the server ends only when none is left. The operating system releases both locks with the process.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.locks import open_file, try_lock

PAUSE_SECONDS: Final = 0.02
JOIN_SECONDS: Final = 20.0
WORLD: Final = "world.db"


class StateLockedError(Exception):
    """Another process holds the state; the message names it and its address."""


class StateLock:
    """The exclusive lock on a folder, until the process ends."""

    def __init__(self, folder: Path, held: int) -> None:
        self.file = folder / WORLD
        self._folder = folder
        self._held = held

    def announce(self, ready: dict[str, Any]) -> None:
        """Publish the address of the server."""
        os.pwrite(self._held, msgspec.json.encode({**ready, "pid": os.getpid()}) + b"\n", 0)

    def close_if_unused(self) -> bool:
        """Accept no more users if there are none. Returns whether that succeeded."""
        descriptor = open_file(self._folder / "users")
        if try_lock(descriptor):
            return True
        os.close(descriptor)
        return False


def acquire(folder: Path) -> StateLock:
    """Lock the folder. StateLockedError if another process has it, OSError if it cannot be created."""
    found = _acquire(folder)
    if found is not None:
        return found
    running = _read(folder) or {}
    where = f" and serves it at {running['url']}" if running else ""
    raise StateLockedError(f"process {running.get('pid', '?')} holds the state in {folder}{where}")


def acquire_or_join(folder: Path, seconds: float = JOIN_SECONDS) -> StateLock | dict[str, Any]:
    """Lock the folder, or return what its server announced; that server then stays until this process ends.

    StateLockedError if neither is possible within these seconds, OSError if the folder cannot be created.
    """
    deadline = time.monotonic() + seconds
    users = -1
    while True:
        if users < 0:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            users = open_file(folder / "users")
        if try_lock(users, shared=True):
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
    descriptor = open_file(folder / "held")
    if not try_lock(descriptor):
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    return StateLock(folder, descriptor)


def _read(folder: Path) -> dict[str, Any] | None:
    """What the server announced; None while it is not ready, when the text may be its predecessor's."""
    text = (folder / "held").read_bytes()
    if not text.endswith(b"\n"):
        return None
    found: dict[str, Any] = msgspec.json.decode(text)
    return found if _is_alive(found["pid"]) else None


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # the process of another user
        return True
    return True
