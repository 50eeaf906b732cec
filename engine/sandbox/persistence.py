"""Persists a sandbox: restores it at the start and saves what each request changes."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import SystemRandom
from typing import Final

import msgspec

from .objects import token
from .options import KEY_RETENTION, SandboxOptions
from .state import (
    ApiResponse,
    Clock,
    IdempotencyKeys,
    IdempotencyRecord,
    ObjectTable,
    Origin,
    Row,
    StateError,
    StateFile,
    Store,
    StoredObject,
    StoredResponse,
)
from .world import RestoredState, SandboxWorld

_ENCODE: Final = msgspec.json.Encoder().encode
_INITIAL: Final = ("seed", "customers", "accounts", "now")
_FILE_LOST: Final = 3


class Persistence:
    """Connects a world in memory to its state file. `wall` returns Unix seconds of the machine's clock.

    StateError if the file cannot be read, or its world started with other options.
    """

    def __init__(self, file: StateFile, options: SandboxOptions, wall: Callable[[], float]) -> None:
        self._file = file
        self._options = options
        self._wall = wall
        found = file.origin()
        if found is None:
            self.reset()
        else:
            self._origin = found
            self._check_options()

    def reset(self) -> None:
        """Discard the world; the next one has a new, unique account id."""
        options = self._options
        count, now = options.customer_count, options.now
        account = f"acct_{token(SystemRandom(), 16)}"
        self._origin = Origin(account, options.seed, count, options.accounts, now, now, self._wall(), options.frozen)
        self._file.begin(self._origin)

    def _check_options(self) -> None:
        """StateError if the options contradict the saved world. Default values never do."""
        given, usual = _initial(self._options), _initial(SandboxOptions())
        for name in _INITIAL:
            saved = getattr(self._origin, name)
            if given[name] not in (saved, usual[name]):
                raise StateError(
                    f"the world in {self._file.path} began with {name} {saved}, not {given[name]}; "
                    "omit the option or use another folder"
                )

    def options(self, options: SandboxOptions) -> SandboxOptions:
        """The options with the initial values of the saved world."""
        origin = self._origin
        return replace(options, seed=origin.seed, customers=origin.customers, accounts=origin.accounts, now=origin.now)

    def clock(self, elapsed: Callable[[], float], *, frozen: bool) -> Clock:
        """The resumed clock: it ran while no sandbox did, unless frozen. Never goes back."""
        origin = self._origin
        passed = 0.0 if origin.frozen else max(0.0, self._wall() - origin.wall)
        return Clock(origin.clock + passed, elapsed, frozen=frozen)

    def restored(self) -> RestoredState:
        """The state from which the world resumes."""
        origin = self._origin
        return RestoredState(origin.account, origin.commits, self._stores() if origin.whole else None)

    def _stores(self) -> dict[tuple[str, bool], Store]:
        stores: dict[tuple[str, bool], Store] = {}
        decode = msgspec.json.Decoder().decode
        for stored in self._file.objects():
            place = stored.account, bool(stored.livemode)
            store = stores.get(place)
            if store is None:
                store = stores[place] = Store(stored.account, livemode=place[1])
            if stored.body is None:
                store.table(stored.kind).gone[stored.id] = stored.gone or 0
                continue
            more = decode(stored.more) if stored.more else {}
            row = Row(decode(stored.body), stored.created, stored.seq, stored.parent, more.get("extra"))
            row.touched, row.before = stored.touched, more.get("before")
            store.restore(stored.kind, row)
        return stores

    def attach(self, world: SandboxWorld, keys: IdempotencyKeys) -> None:
        """Restore the responses of live idempotency keys and record changes from now on."""
        until = world.clock.now() - KEY_RETENTION
        for stored in self._file.responses(until):
            headers = msgspec.json.decode(stored.headers, type=tuple[tuple[str, str], ...])
            entry = IdempotencyRecord(
                stored.fingerprint, stored.first_used, ApiResponse(stored.status, stored.body, headers)
            )
            keys.restore(stored.account, stored.key, entry)
        world.record()
        self.save(world, keys)

    def save(self, world: SandboxWorld, keys: IdempotencyKeys) -> None:
        """Save all changes since the last call.

        Ends the process if the file cannot be written: the world must never be ahead of its file.
        """
        clock, origin = world.clock, self._origin
        tables = [
            (store, kind, table) for store in world.stores().values() for kind, table in store.tables() if table.changed
        ]
        if not tables and not keys.changed and not clock.moved and clock.frozen == origin.frozen:
            return
        if tables and not origin.whole:
            objects = [stored for store in world.stores().values() for stored in _all_objects(store)]
        else:
            objects = [
                _stored(store, kind, table, each) for store, kind, table in tables for each in table.changed or ()
            ]
        self._origin = msgspec.structs.replace(
            origin,
            clock=clock.now(),
            wall=self._wall(),
            frozen=clock.frozen,
            whole=origin.whole or bool(tables),
            commits=origin.commits + 1,
        )
        self._write(objects, list(_responses(keys)))
        clock.moved = False
        keys.changed.clear()
        for _, _, table in tables:
            table.changed = set()

    def _write(self, objects: list[StoredObject], responses: list[StoredResponse]) -> None:
        try:
            self._file.write(self._origin, objects, responses)
        except sqlite3.Error as error:
            sys.stderr.write(f"error: the sandbox cannot store its state in {self._file.path}: {error}\n")
            sys.stderr.flush()
            os._exit(_FILE_LOST)


def _initial(options: SandboxOptions) -> dict[str, int]:
    return {
        "seed": options.seed,
        "customers": options.customer_count,
        "accounts": options.accounts,
        "now": options.now,
    }


def _all_objects(store: Store) -> Iterator[StoredObject]:
    for kind, table in store.tables():
        for identifier in (*table.gone, *table.rows):
            yield _stored(store, kind, table, identifier)


def _stored(store: Store, kind: str, table: ObjectTable, identifier: str) -> StoredObject:
    row = table.rows.get(identifier)
    if row is None:
        return StoredObject(store.account, store.livemode, kind, identifier, gone=table.gone[identifier])
    more = {name: value for name, value in (("extra", row.extra), ("before", row.before)) if value is not None}
    return StoredObject(
        store.account,
        store.livemode,
        kind,
        identifier,
        row.seq,
        row.created,
        row.touched,
        row.parent,
        None,
        _ENCODE(row.obj),
        _ENCODE(more) if more else None,
    )


def _responses(keys: IdempotencyKeys) -> Iterator[StoredResponse]:
    for (account, key), entry in keys.changed.items():
        if entry.response is not None:
            response = entry.response
            headers = _ENCODE(response.headers)
            yield StoredResponse(
                account, key, entry.fingerprint, entry.first_used, response.status, response.body, headers
            )
