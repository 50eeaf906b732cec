"""The state file of a sandbox: a snapshot of its objects, not a log of requests."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

FORMAT: Final = 1
_FRESH: Final = "delete its folder to start with a new account"
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
    """The state cannot be read or used; the message has the reason and the fix."""


class Origin(msgspec.Struct, frozen=True):
    """The initial options of a stored world, and its clock.

    The sandbox's clock was at `clock` when the machine's was at `wall`. `whole`: the file contains all objects; until
    then the world is the seeded one. `commits` counts the saves.
    """

    account: str
    seed: int
    customers: int
    accounts: int
    now: int
    clock: int = msgspec.field(name="moment")
    wall: float
    frozen: bool = False
    whole: bool = False
    commits: int = 0
    format: int = FORMAT


class StoredObject(NamedTuple):
    """A stored object. A deleted one has the timestamp of its deletion in `gone` and no `body`."""

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
    """The stored response of an idempotency key; `headers` are JSON."""

    account: str
    key: str
    fingerprint: str
    first_used: int
    status: int
    body: bytes
    headers: bytes


class StateFile:
    """The file, open in one process at a time.

    A completed `write` survives the end of the process. A loss of power can lose the last writes, but never a part of
    one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._database = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise _unreadable(path, error) from None

    def origin(self) -> Origin | None:
        """The origin of the world; None in a new file. StateError for another format."""
        try:
            found = self._database.execute("SELECT facts FROM origin").fetchone()
            origin = msgspec.json.decode(found[0], type=Origin) if found else None
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise _unreadable(self.path, error) from None
        if origin is not None and origin.format != FORMAT:
            raise StateError(f"{self.path} was written by another version of Weir; {_FRESH}")
        return origin

    def objects(self) -> Iterator[StoredObject]:
        """All objects, oldest first. StateError if they cannot be read."""
        try:
            yield from (
                StoredObject(*row) for row in self._database.execute("SELECT * FROM object ORDER BY seq, rowid")
            )
        except sqlite3.Error as error:
            raise _unreadable(self.path, error) from None

    def responses(self, since: int) -> list[StoredResponse]:
        """The responses of keys first used after this timestamp. Deletes older ones."""
        try:
            self._database.execute("DELETE FROM answer WHERE moment <= ?", (since,))
            return [StoredResponse(*row) for row in self._database.execute("SELECT * FROM answer")]
        except sqlite3.Error as error:
            raise _unreadable(self.path, error) from None

    def write(
        self, origin: Origin, objects: Sequence[StoredObject] = (), responses: Sequence[StoredResponse] = ()
    ) -> None:
        """Store all of it in one transaction. `sqlite3.Error` if that fails."""
        database = self._database
        with database:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(_PUT_OBJECT, objects)
            database.executemany("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?, ?, ?)", responses)
            self._put(origin)

    def begin(self, origin: Origin) -> None:
        """Delete everything and start a world with this origin. StateError if the file cannot be written."""
        try:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                self._database.execute("DELETE FROM object")
                self._database.execute("DELETE FROM answer")
                self._put(origin)
        except sqlite3.Error as error:
            raise _unreadable(self.path, error) from None

    def _put(self, origin: Origin) -> None:
        self._database.execute("INSERT OR REPLACE INTO origin VALUES (1, ?)", (msgspec.json.encode(origin),))

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _unreadable(path: Path, error: Exception) -> StateError:
    return StateError(f"the state of the sandbox cannot be read from {path}: {error}; {_FRESH}")
