"""The file in which a sandbox keeps its world: objects as they are, not requests that would make them again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

FORMAT: Final = 1
_ANEW: Final = "delete its folder to begin with a new account"
_SCHEMA: Final = """
BEGIN;
CREATE TABLE IF NOT EXISTS origin (one INTEGER PRIMARY KEY CHECK (one = 1), facts BLOB);
CREATE TABLE IF NOT EXISTS object (
    account TEXT, livemode INTEGER, kind TEXT, id TEXT, seq INTEGER, created INTEGER, touched INTEGER, parent TEXT,
    gone INTEGER, body BLOB, more BLOB, PRIMARY KEY (account, livemode, kind, id)
);
CREATE TABLE IF NOT EXISTS answer (
    account TEXT, key TEXT, fingerprint TEXT, moment INTEGER, status INTEGER, body BLOB, headers BLOB,
    PRIMARY KEY (account, key)
);
COMMIT;
"""
_PUT_OBJECT: Final = """
INSERT INTO object VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET seq = excluded.seq, created = excluded.created, touched = excluded.touched,
    parent = excluded.parent, gone = excluded.gone, body = excluded.body, more = excluded.more
"""


class StateError(Exception):
    """The state cannot be read or does not fit; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a kept world began with, and where its time stands.

    The clock showed `moment` when the machine's showed `wall`. `whole` says that the file holds all objects; until then
    the world is the one that its seed makes. `commits` counts what was written.
    """

    account: str
    seed: int
    customers: int
    accounts: int
    now: int
    moment: int
    wall: float
    frozen: bool = False
    whole: bool = False
    commits: int = 0
    format: int = FORMAT


class StoredObject(NamedTuple):
    """An object at rest. `gone` is the moment of its deletion; then it has no `body`."""

    account: str
    livemode: bool
    kind: str
    id: str
    seq: int = 0
    created: int = 0
    touched: int = 0
    parent: str | None = None
    gone: int | None = None
    body: bytes | None = None
    more: bytes | None = None


class StoredResponse(NamedTuple):
    """What was answered under an idempotency key; `headers` are JSON."""

    account: str
    key: str
    fingerprint: str
    moment: int
    status: int
    body: bytes
    headers: bytes


class StateFile:
    """The file, open for one process at a time.

    What `write` has returned from survives the death of the process. A loss of power may take the last writes with it,
    but never a part of one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._base = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
            self._base.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = NORMAL")
            self._base.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise _unreadable(path, error) from None

    def origin(self) -> Origin | None:
        """What the world began with; None in a new file. StateError when it is of another format."""
        try:
            found = self._base.execute("SELECT facts FROM origin").fetchone()
            origin = msgspec.json.decode(found[0], type=Origin) if found else None
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise _unreadable(self.path, error) from None
        if origin is not None and origin.format != FORMAT:
            raise StateError(f"{self.path} was written by another version of Weir; {_ANEW}")
        return origin

    def objects(self) -> Iterator[StoredObject]:
        """All objects, by age; StateError when they cannot be read."""
        try:
            yield from (StoredObject(*row) for row in self._base.execute("SELECT * FROM object ORDER BY seq, rowid"))
        except sqlite3.Error as error:
            raise _unreadable(self.path, error) from None

    def answers(self, since: int) -> list[StoredResponse]:
        """The answers to keys that were first used after this moment. Older ones are forgotten."""
        try:
            self._base.execute("DELETE FROM answer WHERE moment <= ?", (since,))
            return [StoredResponse(*row) for row in self._base.execute("SELECT * FROM answer")]
        except sqlite3.Error as error:
            raise _unreadable(self.path, error) from None

    def write(
        self, origin: Origin, objects: Sequence[StoredObject] = (), answers: Sequence[StoredResponse] = ()
    ) -> None:
        """Keep all of this or nothing. `sqlite3.Error` when it is nothing."""
        base = self._base
        with base:
            base.execute("BEGIN IMMEDIATE")
            base.executemany(_PUT_OBJECT, objects)
            base.executemany("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?, ?, ?)", answers)
            self._put(origin)

    def begin(self, origin: Origin) -> None:
        """Forget everything, and begin a world with this. StateError when the file cannot be written."""
        try:
            with self._base:
                self._base.execute("BEGIN IMMEDIATE")
                self._base.execute("DELETE FROM object")
                self._base.execute("DELETE FROM answer")
                self._put(origin)
        except sqlite3.Error as error:
            raise _unreadable(self.path, error) from None

    def _put(self, origin: Origin) -> None:
        self._base.execute("INSERT OR REPLACE INTO origin VALUES (1, ?)", (msgspec.json.encode(origin),))

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()


def _unreadable(path: Path, error: Exception) -> StateError:
    return StateError(f"the state of the sandbox cannot be read from {path}: {error}; {_ANEW}")
