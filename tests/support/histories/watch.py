"""The truth about a mirror: its required contents after a run, and the changes it may still miss."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC
from typing import Any, Final

from engine.connectors.stripe.catalogue import SyncClass, load_catalogue
from engine.connectors.stripe.sync.sync_rules import OPEN, OVERLAP, reread_seconds
from tests.support.histories.themes import TABLES
from tests.support.mirror.comparison import differences, live_of, parent_field, values_of_object, values_of_row
from tests.support.mirror.mirrored import Mirrored
from tests.support.mirror.shop import Shop

SILENT: Final = tuple(
    name for name in TABLES if load_catalogue().tables[name].sync in (SyncClass.EVENTS_REREAD, SyncClass.CREATED_REREAD)
)
"""Tables in which an edit may leave no event."""

OUT_OF_SIGHT: Final = 9999
"""The year of the tombstones of rows that a filtered read did not return: they may exist, hidden from boxes."""

Key = tuple[str | None, str, str]
"""Account, table, ID."""
Row = dict[str, Any]


class Watch:
    """Compares a mirror with its shop.

    A run must apply every change that emits an event. An edit without one may be late, but only in a table of such a
    class, only until that table is read completely again, and the row must equal an earlier state of the object. An
    object with a pending event need not match until a later run repairs it; if the event is very late, that is a run
    of the next hour.
    """

    def __init__(self, shop: Shop, mirrored: Mirrored, accounts: Collection[str | None]) -> None:
        self.shop = shop
        self.mirrored = mirrored
        self.accounts = tuple(accounts)
        self._states: dict[Key, list[dict[str, Any]]] = {}
        self._silently: dict[Key, int] = {}
        """The time since which an object has a state that no event reported."""
        self._events: dict[str | None, int] = dict.fromkeys(self.accounts, 0)
        self._silent = tuple(name for name in SILENT if name in mirrored.tables)
        self._skews = [mirrored.skew]

    @property
    def spread(self) -> float:
        """The largest error of an age by this machine's clock, in seconds."""
        return max(*self._skews, 0) - min(*self._skews, 0)

    def note_skew(self) -> None:
        """Record that this machine's clock was set."""
        self._skews.append(self.mirrored.skew)

    def note(self) -> None:
        """Record the changes in the shop. Call it after each change."""
        for account in self.accounts:
            reported = self.shop.objects_of_events(self._events[account], account)
            self._events[account] = len(self.shop.rows("event", account))
            for table, objects in self.shop.truth(*self._silent, account=account).items():
                for identifier, shown in objects.items():
                    self._note_one((account, table, identifier), shown, identifier in set(reported))

    def _note_one(self, key: Key, shown: dict[str, Any], reported: bool) -> None:
        states = self._states.setdefault(key, [])
        if reported:
            self._silently.pop(key, None)
        elif states and states[-1] != shown:
            self._silently.setdefault(key, self.shop.now)
        if not states or states[-1] != shown:
            states.append(shown)

    def forget_silent_edits(self) -> None:
        """Record that everything was read again: nothing may be late."""
        self._silently.clear()

    def demand_truth(self, *, whole: bool = False, unread: Collection[str] = ()) -> None:
        """Assert that the mirror is right; for the tables in `unread` only that no row is lost.

        `whole`: everything was read again just now, so that nothing may be late for any reason.
        """
        self.note()
        rows = self.mirrored.rows()
        for account in self.accounts:
            late = set() if whole else self._late(account)
            # Created in the second of the run, up to which its lists are trusted.
            fresh = {name for name, created in self.shop.made(account).items() if created == self.shop.now}
            for table, objects in self.shop.truth(*self.mirrored.tables, account=account).items():
                own = rows.get((table, account), [])
                _demand_nothing_lost(table, own, objects, late)
                if table not in unread:
                    self._demand_table(account, table, own, objects, late, fresh, whole=whole)

    def _late(self, account: str | None) -> set[str]:
        return self.shop.objects_of_pending_events(account, OVERLAP, 3_600 + self.spread)

    def anything_late(self) -> bool:
        """Whether there are objects that need not match yet, because their events are late."""
        return any(self._late(account) for account in self.accounts)

    def demand_nothing_lost(self, before: dict[Key, Any]) -> None:
        """Assert that no row has a tombstone whose object exists and existed `before` (see `present`)."""
        rows = self.mirrored.rows()
        for account in self.accounts:
            for table, objects in self.shop.truth(*self.mirrored.tables, account=account).items():
                kept = {name: shown for name, shown in objects.items() if before.get((account, table, name)) == shown}
                _demand_nothing_lost(table, rows.get((table, account), []), kept, set())

    def present(self) -> dict[Key, Any]:
        """All objects in their current state."""
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
            found = values_of_row(table, row, whole=whole)
            wrong = differences(values_of_object(table, shown, whole=whole), found)
            if not wrong:  # From here on, an unreported edit counts as the first one.
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
            return False  # It is not final: each run reads it again.
        return any(not differences(values_of_object(table, state, whole=False), found) for state in self._states[key])


def _is_late(table: str, name: str, values: Any, late: Collection[str]) -> bool:
    """Whether an event of the object or of its parent is pending."""
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
    """Whether the row's object was really deleted and a later one has its ID: lists return that one where needed."""
    created, now = row.get("created"), shown.get("created")
    return created is not None and now is not None and int(created.replace(tzinfo=UTC).timestamp()) < now
