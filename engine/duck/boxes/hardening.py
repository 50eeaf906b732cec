"""A DuckDB instance for untrusted SQL: no files, network, extensions, settings or Python variables."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import duckdb

from engine.run import BoxLimits

from ..quoting import quote_literal

MAX_EXPRESSION_DEPTH: Final = 1000
"""The parser refuses deeper expressions, because DuckDB traverses them on the C stack."""

_INTERRUPT_EVERY_SECONDS: Final = 0.05
_CANCELLED_EVERY_SECONDS: Final = 0.1


@contextlib.contextmanager
def open_instance(limits: BoxLimits, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory instance within `limits` that spills to the folder `spill`. Attach files, then call `lock_down`."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": limits.threads,
            "memory_limit": f"{limits.memory_bytes}B",
            "max_expression_depth": MAX_EXPRESSION_DEPTH,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "allow_unsigned_extensions": False,
            "allow_persistent_secrets": False,
            "python_enable_replacements": False,
            "arrow_lossless_conversion": True,
        },
    )
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET temp_directory = {quote_literal(str(spill))}")
        # In the config of connect(), this limit is displayed but not enforced.
        connection.execute(f"SET max_temp_directory_size = '{limits.temp_bytes}B'")
        yield connection
    finally:
        connection.close()


def lock_down(connection: duckdb.DuckDBPyConnection, limits: BoxLimits) -> None:
    """Disable external access and freeze the configuration; no later statement can undo it."""
    with contextlib.suppress(duckdb.CatalogException):  # a setting of DuckDB 2; `Deadline` works in every version
        connection.execute(f"SET max_execution_time = {max(1, int(limits.seconds * 1000))}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


class Deadline:
    """Interrupts connections repeatedly once the time limit is reached, until the `with` block ends.

    Afterwards, `passed` is true if the time limit was reached and `stopped` if `cancelled` returned true before that.
    """

    def __init__(
        self, seconds: float, *interrupts: Callable[[], object], cancelled: Callable[[], bool] | None = None
    ) -> None:
        self._seconds = seconds
        self._interrupts = interrupts
        self._cancelled = cancelled
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="box-deadline", daemon=True)
        self.passed = False
        self.stopped = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        end = time.monotonic() + self._seconds
        wait = self._seconds if self._cancelled is None else min(self._seconds, _CANCELLED_EVERY_SECONDS)
        while not self._done.wait(wait):
            self.stopped = self.stopped or (not self.passed and self._cancelled is not None and self._cancelled())
            self.passed = self.passed or (not self.stopped and time.monotonic() >= end)
            if not self.stopped and not self.passed:
                continue
            for interrupt in self._interrupts:
                with contextlib.suppress(duckdb.Error):
                    interrupt()
            # An interrupt that falls between two statements is lost.
            wait = _INTERRUPT_EVERY_SECONDS
