"""Advisory locks on files, shared or exclusive. The system releases them when their process ends, however it ends.

A lock belongs to the open file: a second `open_file` of the same path competes with the first, also in one process.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def open_file(path: Path) -> int:
    """Open a lock file for reading and writing, and create it if it is missing. Closing it releases its lock."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock an open file, or change its lock, without waiting; False if another open file has a conflicting lock."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(descriptor: int) -> None:
    """Release the lock of an open file and keep the file open."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
