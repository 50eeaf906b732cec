"""A pool of DuckDB instances for the engine's own statements: creating an instance takes longer than most uses.

Untrusted SQL never runs here; it has its own instances (`hardening`, `binder`).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from .quoting import quote_literal, quote_name

MEMORY: Final = "256MB"
_IDLE_AT_MOST: Final = 2
_USES_AT_MOST: Final = 100
"""Uses of one instance: it keeps about 0.3 KB for each statement on an attached file until it is closed."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Settings for one use of an instance: spill folder, memory limit (a DuckDB size such as "256MB"), threads and
    compression of new rows. Without `memory`, DuckDB's default applies: 80 % of the machine's memory."""

    spill: Path
    memory: str | None = MEMORY
    threads: int = 1
    compression: str = "auto"


@dataclass(slots=True)
class _Instance:
    root: duckdb.DuckDBPyConnection
    terms: Terms
    uses: int = 0

    def adopt(self, terms: Terms) -> None:
        """Switch to other settings. duckdb.Error when DuckDB refuses, as for a spill folder that is in use."""
        changes = {
            "temp_directory": (str(self.terms.spill), str(terms.spill)),
            "memory_limit": (self.terms.memory, terms.memory),
            "threads": (str(self.terms.threads), str(terms.threads)),
            "force_compression": (self.terms.compression, terms.compression),
        }
        for name, (before, after) in changes.items():
            if before != after:
                self.root.execute(f"RESET {name}" if after is None else f"SET {name} = {quote_literal(after)}")
        self.terms = terms


_idle: list[_Instance] = []
_lock: Final = threading.Lock()


@contextlib.contextmanager
def own_instance(terms: Terms, *attached: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an instance for exclusive use. The databases named in `attached` are detached at the end, so
    their files are closed with all commits in them. After an error the instance is discarded."""
    instance = _taken(terms)
    instance.uses += 1
    connection = instance.root.cursor()
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    except BaseException:
        connection.close()
        instance.root.close()
        raise
    connection.close()
    if instance.uses >= _USES_AT_MOST or not _left_clean(instance, attached):
        instance.root.close()


def _taken(terms: Terms) -> _Instance:
    with _lock:
        instance = _idle.pop() if _idle else None
    if instance is not None:
        try:
            instance.adopt(terms)
        except duckdb.Error:
            instance.root.close()
        else:
            return instance
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": terms.threads,
        "temp_directory": str(terms.spill),
        "force_compression": terms.compression,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
    }
    if terms.memory is not None:  # a share of the machine's memory is a size that DuckDB 1.5 does not accept
        config["memory_limit"] = terms.memory
    return _Instance(duckdb.connect(config=config), terms)


def _left_clean(instance: _Instance, attached: tuple[str, ...]) -> bool:
    """Detach the databases and return the instance to the pool; False when it must be closed instead."""
    try:
        for name in attached:
            instance.root.execute(f"DETACH DATABASE IF EXISTS {quote_name(name)}")
    except duckdb.Error:  # closing the instance detaches them too
        return False
    with _lock:
        if len(_idle) >= _IDLE_AT_MOST:
            return False
        _idle.append(instance)
        return True
