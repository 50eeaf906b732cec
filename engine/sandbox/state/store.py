"""Where the objects of one account live: in memory, by kind, in the order of lists.

Objects are dicts that nobody changes in place: a write stores a new dict. So an event can keep the object as it was,
and nested parts can be shared.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, TypeAlias

Obj: TypeAlias = Mapping[str, Any]


class Row:
    """An object and what the sandbox knows about it.

    `created` and `seq` order lists. `parent` is the id of the object that the row belongs to (a line's invoice).
    `extra` holds facts that filters ask for and the object does not show. `touched` is the moment of the last write and
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
    """The objects of one kind. `order` is ascending by (created, seq): lists read it from its end.

    `changed` are the ids of what was written since it was last emptied; None while nobody wants to know.
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
        """All rows, the oldest first."""
        if not self._sorted:
            self._order.sort()
            self._sorted = True
        return self._order

    def children(self, parent: str) -> list[Row]:
        """The rows that belong to this object, in the order in which they came."""
        return list(self._children.get(parent, {}).values())

    def where(self, column: str, value: Any) -> list[OrderKey]:
        """The rows whose top-level `column` has this value, the oldest first; fast from the second time on."""
        index = self._indexes.get(column)
        if index is None:
            index = self._indexes[column] = {}
            for key in self.order:
                index.setdefault(_hashable(key[2].obj.get(column)), []).append(key)
        return index.get(value, [])

    def insert(self, row: Row) -> None:
        """Add a row whose id is not there yet."""
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
        """Give a row its new object."""
        key = (row.created, row.seq, row)
        for column, index in self._indexes.items():
            old, new = _hashable(row.obj.get(column)), _hashable(obj.get(column))
            if old != new:
                _drop(index.get(old, []), key)
                insort(index.setdefault(new, []), key)
        row.obj = obj
        self._note(row)

    def annotate(self, row: Row, extra: Obj) -> None:
        """Give a row its new extra facts."""
        row.extra = extra
        self._note(row)

    def remove(self, row: Row, moment: int) -> None:
        """Take a row out and remember that it was there."""
        key = (row.created, row.seq, row)
        del self.rows[row.id]
        self.gone[row.id] = moment
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
    """All objects of one account in one mode. `epoch` moves when an object that others show in themselves changes.

    `next_due` is the moment before which no subscription renews or ends; 0 if that must be worked out anew.
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
        """Let all tables keep, from now on, the ids of what changes."""
        self._recording = True
        for table in self._tables.values():
            table.changed = set()

    def restore(self, resource: str, row: Row) -> None:
        """Put a row back in its own place. Rows come in their order, and before all new ones."""
        self.table(resource).insert(row)
        self._seq = count(row.seq + 1)

    def table(self, resource: str) -> ObjectTable:
        """The table of this kind, made when first asked for."""
        table = self._tables.get(resource)
        if table is None:
            table = self._tables[resource] = ObjectTable()
            table.changed = set() if self._recording else None
        return table

    def tables(self) -> Iterator[tuple[str, ObjectTable]]:
        """All kinds that were asked for so far, by name."""
        yield from sorted(self._tables.items())

    def find(self, resource: str, identifier: str) -> Row | None:
        """The row with this id, or None."""
        table = self._tables.get(resource)
        return table.rows.get(identifier) if table else None

    def insert(
        self, resource: str, obj: Obj, *, created: int, parent: str | None = None, extra: Obj | None = None
    ) -> Row:
        """Add an object; it takes its place in lists by `created` and then by arrival."""
        row = Row(obj, created, next(self._seq), parent, extra)
        self.table(resource).insert(row)
        return row

    def find_all(self, resource: str, column: str, value: Any) -> list[Row]:
        """The rows whose top-level `column` has this value, the oldest first."""
        return [key[2] for key in self.table(resource).where(column, value)]


def _hashable(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _drop(keys: list[OrderKey], key: OrderKey) -> None:
    place = bisect_left(keys, key)
    if place < len(keys) and keys[place][2] is key[2]:
        del keys[place]
