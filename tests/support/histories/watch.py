"""The truth about a mirror: what it must hold after a run, and what it may not know yet."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC
from typing import Any, Final

from engine.connectors.stripe.catalogue import SyncClass, load_catalogue
from engine.connectors.stripe.sync.sync_rules import OPEN, OVERLAP, reread_seconds
from tests.support.histories.themes import TABLES
from tests.support.mirror.comparison import differences, live_of, parent_field, said_by, said_by_row
from tests.support.mirror.mirrored import Mirrored
from tests.support.mirror.shop import Shop

SILENT: Final = tuple(
    name for name in TABLES if load_catalogue().tables[name].sync in (SyncClass.EVENTS_REREAD, SyncClass.CREATED_REREAD)
)
"""Tables in which an edit may leave no event."""

OUT_OF_SIGHT: Final = 9999
"""The year in which rows are gone that a filtered read did not bring: they may be there, unseen by boxes."""

Key = tuple[str | None, str, str]
"""Account, table, id."""
Row = dict[str, Any]


class Watch:
    """Compares a mirror with its shop.

    Whatever emits an event, a run must have. An edit without one may be late, but only in a table whose class says so,
    only until that table is read whole again, and the row must say what the object once said. Of an object whose event
    is still on its way, nothing is demanded but that a later run repairs it; where the event comes very late, that is a
    run of the next hour.
    """

    def __init__(self, shop: Shop, mirrored: Mirrored, accounts: Collection[str | None]) -> None:
        self.shop = shop
        self.mirrored = mirrored
        self.accounts = tuple(accounts)
        self._states: dict[Key, list[dict[str, Any]]] = {}
        self._silently: dict[Key, int] = {}
        """Since when an object says something that no event told."""
        self._events: dict[str | None, int] = dict.fromkeys(self.accounts, 0)
        self._silent = tuple(name for name in SILENT if name in mirrored.tables)
        self._skews = [mirrored.skew]

    @property
    def spread(self) -> float:
        """By how much this machine's clock may have told a wrong age."""
        return max(*self._skews, 0) - min(*self._skews, 0)

    def note_skew(self) -> None:
        """This machine's clock was set."""
        self._skews.append(self.mirrored.skew)

    def note(self) -> None:
        """Look at what has changed in the shop. Call it after each thing that happens there."""
        for account in self.accounts:
            told = self.shop.told_of(self._events[account], account)
            self._events[account] = len(self.shop.rows("event", account))
            for table, objects in self.shop.truth(*self._silent, account=account).items():
                for identifier, shown in objects.items():
                    self._note_one((account, table, identifier), shown, identifier in set(told))

    def _note_one(self, key: Key, shown: dict[str, Any], told: bool) -> None:
        states = self._states.setdefault(key, [])
        if told:
            self._silently.pop(key, None)
        elif states and states[-1] != shown:
            self._silently.setdefault(key, self.shop.now)
        if not states or states[-1] != shown:
            states.append(shown)

    def forget_silent_edits(self) -> None:
        """Everything was read again: nothing may be late."""
        self._silently.clear()

    def demand_truth(self, *, whole: bool = False, unread: Collection[str] = ()) -> None:
        """The mirror is what it must be; nothing is known of the tables in `unread` but that nothing is lost there.

        `whole`: all of it was read again just now, so that nothing may be late, for whatever reason.
        """
        self.note()
        rows = self.mirrored.rows()
        for account in self.accounts:
            late = set() if whole else self._late(account)
            # Made in the second that the run is as of: lists are believed up to there.
            fresh = {name for name, created in self.shop.made(account).items() if created == self.shop.now}
            for table, objects in self.shop.truth(*self.mirrored.tables, account=account).items():
                own = rows.get((table, account), [])
                _demand_nothing_lost(table, own, objects, late)
                if table not in unread:
                    self._demand_table(account, table, own, objects, late, fresh, whole=whole)

    def _late(self, account: str | None) -> set[str]:
        return self.shop.on_their_way(account, OVERLAP, 3_600 + self.spread)

    def anything_late(self) -> bool:
        """Whether there are objects of which not everything is demanded, because their events come late."""
        return any(self._late(account) for account in self.accounts)

    def demand_nothing_lost(self, before: dict[Key, Any]) -> None:
        """No row is called gone whose object is there and was there `before` (see `present`)."""
        rows = self.mirrored.rows()
        for account in self.accounts:
            for table, objects in self.shop.truth(*self.mirrored.tables, account=account).items():
                kept = {name: shown for name, shown in objects.items() if before.get((account, table, name)) == shown}
                _demand_nothing_lost(table, rows.get((table, account), []), kept, set())

    def present(self) -> dict[Key, Any]:
        """All objects as they are now."""
        return {
            (account, table, name): shown
            for account in self.accounts
            for table, objects in self.shop.truth(*self.mirrored.tables, account=account).items()
            for name, shown in objects.items()
        }

    def _demand_table(
        self, account: str | None, table: str, rows: list[Row], objects: dict[str, Any], late: Collection[str],
        fresh: Collection[str], *, whole: bool,
    ) -> None:  # fmt: skip
        live = live_of(rows)
        for name in sorted({*objects, *live}):
            shown, row = objects.get(name), live.get(name)
            if _is_late(table, name, shown if shown is not None else row, late):
                continue
            assert row is not None, f"{table}: {name} is missing"
            if shown is None and _is_late(table, name, row, fresh):
                continue
            assert shown is not None, f"{table}: {name} is not there any more"
            assert row["_extra"] is None, f"{table}: {name} has {row['_extra']} left over"
            found = said_by_row(table, row, whole=whole)
            wrong = differences(said_by(table, shown, whole=whole), found)
            if not wrong:  # an edit that nobody tells of counts from here on as a first one
                self._silently.pop((account, table, name), None)
            if wrong and not self._may_be_late((account, table, name), found):
                raise AssertionError(f"{table}: {name} differs (there, here): {wrong}")

    def _may_be_late(self, key: Key, found: dict[str, Any]) -> bool:
        _account, table, _name = key
        since = self._silently.get(key)
        every = reread_seconds(load_catalogue().tables[table], {})
        if since is None or every is None or self.shop.now - since >= every + self.spread:
            return False
        if any(found[each.column] in each.values for case in OPEN.get(table, ()) for each in case):
            return False  # it is not final: each run reads it again
        return any(not differences(said_by(table, state, whole=False), found) for state in self._states[key])


def _is_late(table: str, name: str, values: Any, late: Collection[str]) -> bool:
    """Whether an event of the object, or of the one that it belongs to, is on its way."""
    parent = parent_field(table)
    return name in late or (parent is not None and values is not None and values.get(parent) in late)


def _demand_nothing_lost(table: str, rows: list[Row], objects: dict[str, Any], late: Collection[str]) -> None:
    wrong = {
        row["id"]: row["_deleted_at"]
        for row in rows
        if row["_deleted_at"] is not None
        and row["id"] in objects
        and row["_deleted_at"].year < OUT_OF_SIGHT
        and not _is_of_another_life(row, objects[row["id"]])
        and not _is_late(table, row["id"], objects[row["id"]], late)
    }
    assert not wrong, f"{table}: tombstones of what is there: {wrong}"


def _is_of_another_life(row: Row, shown: dict[str, Any]) -> bool:
    """Whether the row's object is gone indeed, and this one, made later, has got its id: lists bring it where it is
    needed."""
    created, now = row.get("created"), shown.get("created")
    return created is not None and now is not None and int(created.replace(tzinfo=UTC).timestamp()) < now
