"""The objects of one account in memory, by kind, in list order.

Objects are dicts that are never changed in place: a write stores a new dict. Events can therefore keep the earlier
object, and nested parts can be shared.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, TypeAlias

Obj: TypeAlias = Mapping[str, Any]


class Row:
    """An object and its metadata.

    `created` and `seq` order lists. `parent` is the id of the object that the row belongs to (a line's invoice).
    `extra` holds facts for filters that the object does not contain. `touched` is the timestamp of the last write,
    `before` the object before it. `body` is the rendered object, valid while `epoch` is the store's.
    """

    __slots__ = ("before", "body", "created", "epoch", "extra", "id", "obj", "parent", "seq", "touched")

    def __init__(self, obj: Obj, created: int, seq: int, parent: str | None, extra: Obj | None) -> None:
        self.id: str = obj["id"]
        self.obj = obj
        self.created = created
        self.seq = seq
        self.parent = parent
        self.extra = extra
        self.touched = created
        self.before: Obj | None = None
        self.body: bytes | None = None
        self.epoch = -1


OrderKey: TypeAlias = tuple[int, int, Row]


class ObjectTable:
    """The objects of one kind. `order` is ascending by (created, seq): lists read it from the end.

    `changed` are the ids written since it was last cleared; None unless recording.
    """

    def __init__(self) -> None:
        self.changed: set[str] | None = None
        self.rows: dict[str, Row] = {}
        self.gone: dict[str, int] = {}
        self._order: list[OrderKey] = []
        self._sorted = True
        self._children: dict[str, dict[str, Row]] = {}
        self._indexes: dict[str, dict[Any, list[OrderKey]]] = {}

    @property
    def order(self) -> list[OrderKey]:
        """All rows, oldest first."""
        if not self._sorted:
            self._order.sort()
            self._sorted = True
        return self._order

    def children(self, parent: str) -> list[Row]:
        """The rows of this parent in order of insertion."""
        return list(self._children.get(parent, {}).values())

    def where(self, column: str, value: Any) -> list[OrderKey]:
        """The rows whose top-level `column` has this value, oldest first. The first call builds an index."""
        index = self._indexes.get(column)
        if index is None:
            index = self._indexes[column] = {}
            for key in self.order:
                index.setdefault(_hashable(key[2].obj.get(column)), []).append(key)
        return index.get(value, [])

    def insert(self, row: Row) -> None:
        """Add a row with a new id."""
        key = (row.created, row.seq, row)
        self.rows[row.id] = row
        self.gone.pop(row.id, None)
        self._note(row)
        if self._sorted and self._order and self._order[-1] > key:
            self._sorted = False
        self._order.append(key)
        if row.parent is not None:
            self._children.setdefault(row.parent, {})[row.id] = row
        for column, index in self._indexes.items():
            insort(index.setdefault(_hashable(row.obj.get(column)), []), key)

    def replace(self, row: Row, obj: Obj) -> None:
        """Replace the object of a row."""
        key = (row.created, row.seq, row)
        for column, index in self._indexes.items():
            old, new = _hashable(row.obj.get(column)), _hashable(obj.get(column))
            if old != new:
                _drop(index.get(old, []), key)
                insort(index.setdefault(new, []), key)
        row.obj = obj
        self._note(row)

    def annotate(self, row: Row, extra: Obj) -> None:
        """Replace the extra facts of a row."""
        row.extra = extra
        self._note(row)

    def remove(self, row: Row, timestamp: int) -> None:
        """Remove a row and record its deletion."""
        key = (row.created, row.seq, row)
        del self.rows[row.id]
        self.gone[row.id] = timestamp
        self._note(row)
        _drop(self.order, key)
        if row.parent is not None:
            self._children.get(row.parent, {}).pop(row.id, None)
        for column, index in self._indexes.items():
            _drop(index.get(_hashable(row.obj.get(column)), []), key)

    def _note(self, row: Row) -> None:
        if self.changed is not None:
            self.changed.add(row.id)


class Store:
    """All objects of one account in one mode. `epoch` increases when an embedded object changes.

    No subscription renews or ends before the timestamp `next_due`; 0 if it must be recomputed.
    """

    def __init__(self, account: str, *, livemode: bool = False) -> None:
        self.account = account
        self.livemode = livemode
        self.epoch = 0
        self.next_due = 0
        self._tables: dict[str, ObjectTable] = {}
        self._seq = count(1)
        self._recording = False

    def record(self) -> None:
        """Record the ids of changed objects in all tables from now on."""
        self._recording = True
        for table in self._tables.values():
            table.changed = set()

    def restore(self, resource: str, row: Row) -> None:
        """Restore a row with its sequence number. Call it in order of sequence, before any insert."""
        self.table(resource).insert(row)
        self._seq = count(row.seq + 1)

    def table(self, resource: str) -> ObjectTable:
        """The table of this kind; created on first access."""
        table = self._tables.get(resource)
        if table is None:
            table = self._tables[resource] = ObjectTable()
            table.changed = set() if self._recording else None
        return table

    def tables(self) -> Iterator[tuple[str, ObjectTable]]:
        """All existing tables by kind."""
        yield from sorted(self._tables.items())

    def find(self, resource: str, identifier: str) -> Row | None:
        """The row with this id, or None."""
        table = self._tables.get(resource)
        return table.rows.get(identifier) if table else None

    def insert(
        self, resource: str, obj: Obj, *, created: int, parent: str | None = None, extra: Obj | None = None
    ) -> Row:
        """Add an object. Lists order it by `created`, then by insertion."""
        row = Row(obj, created, next(self._seq), parent, extra)
        self.table(resource).insert(row)
        return row

    def find_all(self, resource: str, column: str, value: Any) -> list[Row]:
        """The rows whose top-level `column` has this value, oldest first."""
        return [key[2] for key in self.table(resource).where(column, value)]


def _hashable(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _drop(keys: list[OrderKey], key: OrderKey) -> None:
    place = bisect_left(keys, key)
    if place < len(keys) and keys[place][2] is key[2]:
        del keys[place]
