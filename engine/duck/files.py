"""Shared and exclusive locks on DuckDB files, for threads and processes.

DuckDB lets one process write a file or several read it, and fails at once for any other. An advisory lock beside the
file (`<name>.lock`, released when its process dies) makes callers wait for each other instead.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import duckdb

from engine.locks import open_file, try_lock
from engine.run import StoreError

from .quoting import quote_literal, quote_name

STORAGE_VERSION: Final = "v1.5.0"
"""The storage version of new files: every supported DuckDB reads and writes it."""

ROW_GROUP_SIZE: Final = 20_480
"""Rows in a row group of a written file. A full row group is compressed and written while the statement runs; with the
default of 122,880, wide rows stay uncompressed until the commit and spill to disk."""

WAIT_SECONDS: Final = 30.0
"""Default time to wait for a busy file."""

_POLL_SECONDS: Final = 0.02
_HOLD_POLL_SECONDS: Final = 0.1
_PID: Final = re.compile(r"\(PID (\d+)\)")
_BUSY: Final = re.compile(
    r"Could not set lock|Conflicting lock|Unique file handle conflict|already attached|is being used"
)


@contextlib.contextmanager
def writing(path: Path, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the file for one writer. `StoreError` E610 after `wait_seconds` names the process that holds the file."""
    with _gate(path, wait_seconds):
        yield


@contextlib.contextmanager
def reading(paths: Sequence[Path], wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the files for reading, shared with other readers. `StoreError` E610 after `wait_seconds` for each file."""
    with contextlib.ExitStack() as stack:
        for path in sorted(set(paths)):
            stack.enter_context(_gate(path, wait_seconds, shared=True))
        yield


@contextlib.contextmanager
def holding(path: Path, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of `path`, waiting without a limit. `waiting` gets a message with the current holder at each try;
    raise from it to stop waiting."""
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(_gate(path, 0.0))
                break
            except StoreError as busy:
                waiting(busy.message)
                time.sleep(_HOLD_POLL_SECONDS)
        yield


def copy_file(source: Path, target: Path) -> None:
    """Copy a database file while no process writes it. `StoreError` E610 when it stays busy."""
    with reading([source]):
        shutil.copyfile(source, target)


def attach(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    *,
    read_only: bool,
    wait_seconds: float = WAIT_SECONDS,
) -> None:
    """Attach the file as database `name`, waiting for programs that open it without the lock. `StoreError` E610."""
    options = "(READ_ONLY)"
    if not read_only:
        options = f"(ROW_GROUP_SIZE {ROW_GROUP_SIZE})"
        if not path.exists():  # an existing file keeps its version
            options = f"(ROW_GROUP_SIZE {ROW_GROUP_SIZE}, STORAGE_VERSION {quote_literal(STORAGE_VERSION)})"
    statement = f"ATTACH {quote_literal(str(path))} AS {quote_name(name)} {options}"
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            connection.execute(statement)
        except duckdb.Error as error:
            text = str(error)
            if not _BUSY.search(text):
                raise
            if time.monotonic() >= deadline:
                match = _PID.search(text)
                raise _busy(path, int(match[1]) if match else None) from None
            time.sleep(_POLL_SECONDS)
        else:
            return


@contextlib.contextmanager
def _gate(path: Path, wait_seconds: float, *, shared: bool = False) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = open_file(path.with_name(path.name + ".lock"))
    try:
        deadline = time.monotonic() + wait_seconds
        while not try_lock(descriptor, shared=shared):
            if time.monotonic() >= deadline:
                raise _busy(path, _holder(descriptor))
            time.sleep(_POLL_SECONDS)
        os.pwrite(descriptor, f"{os.getpid():<20}".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> int | None:
    text = os.pread(descriptor, 20, 0).strip()
    return int(text) if text.isdigit() else None


def _busy(path: Path, pid: int | None) -> StoreError:
    who = f"process {pid}" if pid is not None else "another process"
    return StoreError("E610", f"`{path.name}` is in use by {who}", "wait until it has ended, or stop it, and run again")
