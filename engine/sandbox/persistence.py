"""Keeps a sandbox's world in its file: brings it back at the start, and writes down what each request has changed."""

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
_BEGINNINGS: Final = ("seed", "customers", "accounts", "now")
_FILE_LOST: Final = 3


class Persistence:
    """Between a world in memory and its file. `wall` gives Unix seconds of the machine's clock.

    StateError when the file cannot be read, or holds a world that began otherwise than the options ask for.
    """

    def __init__(self, file: StateFile, options: SandboxOptions, wall: Callable[[], float]) -> None:
        self._file = file
        self._options = options
        self._wall = wall
        found = file.origin()
        if found is None:
            self.begin_again()
        else:
            self._origin = found
            self._demand_same()

    def begin_again(self) -> None:
        """Forget the world; the next one is new, under an account id that no world had before."""
        options = self._options
        count, now = options.customer_count, options.now
        account = f"acct_{token(SystemRandom(), 16)}"
        self._origin = Origin(account, options.seed, count, options.accounts, now, now, self._wall(), options.frozen)
        self._file.begin(self._origin)

    def _demand_same(self) -> None:
        """StateError when the options ask for another world. Defaults ask for nothing."""
        given, usual = _beginnings(self._options), _beginnings(SandboxOptions())
        for name in _BEGINNINGS:
            kept = getattr(self._origin, name)
            if given[name] not in (kept, usual[name]):
                raise StateError(
                    f"the world in {self._file.path} began with {name} {kept}, not {given[name]}; leave that out, or "
                    "keep another world elsewhere"
                )

    def options(self, options: SandboxOptions) -> SandboxOptions:
        """The options, with what the kept world began with."""
        origin = self._origin
        return replace(options, seed=origin.seed, customers=origin.customers, accounts=origin.accounts, now=origin.now)

    def clock(self, elapsed: Callable[[], float], *, frozen: bool) -> Clock:
        """The clock as it stands by now: it has gone on meanwhile, unless it was frozen. It never goes back."""
        origin = self._origin
        passed = 0.0 if origin.frozen else max(0.0, self._wall() - origin.wall)
        return Clock(origin.moment + passed, elapsed, frozen=frozen)

    def past(self) -> RestoredState:
        """What the world goes on from."""
        origin = self._origin
        return RestoredState(origin.account, origin.commits, self._stores() if origin.whole else None)

    def _stores(self) -> dict[tuple[str, bool], Store]:
        stores: dict[tuple[str, bool], Store] = {}
        decode = msgspec.json.Decoder().decode
        for kept in self._file.objects():
            place = kept.account, bool(kept.livemode)
            store = stores.get(place)
            if store is None:
                store = stores[place] = Store(kept.account, livemode=place[1])
            if kept.body is None:
                store.table(kept.kind).gone[kept.id] = kept.gone or 0
                continue
            more = decode(kept.more) if kept.more else {}
            row = Row(decode(kept.body), kept.created, kept.seq, kept.parent, more.get("extra"))
            row.touched, row.before = kept.touched, more.get("before")
            store.restore(kept.kind, row)
        return stores

    def follow(self, world: SandboxWorld, keys: IdempotencyKeys) -> None:
        """Put back what was answered under keys that are still remembered, and take note of changes from now on."""
        until = world.clock.now() - KEY_RETENTION
        for kept in self._file.answers(until):
            headers = msgspec.json.decode(kept.headers, type=tuple[tuple[str, str], ...])
            entry = IdempotencyRecord(kept.fingerprint, kept.moment, ApiResponse(kept.status, kept.body, headers))
            keys.restore(kept.account, kept.key, entry)
        world.record()
        self.keep(world, keys)

    def keep(self, world: SandboxWorld, keys: IdempotencyKeys) -> None:
        """Write down what has changed since the last time.

        A world that is ahead of its file must not go on: when the file cannot be written, the process ends here.
        """
        clock, origin = world.clock, self._origin
        tables = [
            (store, kind, table) for store in world.stores().values() for kind, table in store.tables() if table.changed
        ]
        if not tables and not keys.changed and not clock.moved and clock.frozen == origin.frozen:
            return
        if tables and not origin.whole:
            objects = [kept for store in world.stores().values() for kept in _everything(store)]
        else:
            objects = [_kept(store, kind, table, each) for store, kind, table in tables for each in table.changed or ()]
        self._origin = replace(
            origin,
            moment=clock.now(),
            wall=self._wall(),
            frozen=clock.frozen,
            whole=origin.whole or bool(tables),
            commits=origin.commits + 1,
        )
        self._write(objects, list(_answers(keys)))
        clock.moved = False
        keys.changed.clear()
        for _, _, table in tables:
            table.changed = set()

    def _write(self, objects: list[StoredObject], answers: list[StoredResponse]) -> None:
        try:
            self._file.write(self._origin, objects, answers)
        except sqlite3.Error as error:
            sys.stderr.write(f"error: the sandbox cannot keep its state in {self._file.path}: {error}\n")
            sys.stderr.flush()
            os._exit(_FILE_LOST)


def _beginnings(options: SandboxOptions) -> dict[str, int]:
    return {
        "seed": options.seed,
        "customers": options.customer_count,
        "accounts": options.accounts,
        "now": options.now,
    }


def _everything(store: Store) -> Iterator[StoredObject]:
    for kind, table in store.tables():
        for identifier in (*table.gone, *table.rows):
            yield _kept(store, kind, table, identifier)


def _kept(store: Store, kind: str, table: ObjectTable, identifier: str) -> StoredObject:
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


def _answers(keys: IdempotencyKeys) -> Iterator[StoredResponse]:
    for (account, key), entry in keys.changed.items():
        if entry.answer is not None:
            answer = entry.answer
            headers = _ENCODE(answer.headers)
            yield StoredResponse(account, key, entry.fingerprint, entry.moment, answer.status, answer.body, headers)
