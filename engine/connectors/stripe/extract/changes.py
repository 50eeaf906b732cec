"""Events, applied to the tables of their objects: an object's latest event decides, whatever order they come in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from ..planning.read_options import BelowParents
from .cursors import Cursor
from .pages import Page
from .readers import TableReader

_Key = tuple[int, str]
"""A read's index and an object's id."""
_NO_TEXT: Final = (b"null", b'""', b"")
_HELD: Final = 2_000
_PAGE: Final = 100


class _Data(msgspec.Struct, gc=False):
    object: msgspec.Raw = msgspec.Raw(b"{}")


class _Subject(msgspec.Struct, gc=False):
    """What an event's object is."""

    object: str = ""
    id: str | None = None
    created: int | None = None


_DATA: Final = msgspec.json.Decoder(_Data)
_SUBJECT: Final = msgspec.json.Decoder(_Subject)
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT: Final = msgspec.json.Decoder(str)


@dataclass(slots=True)
class ChangeReader:
    """Takes pages of events. `open` counts the lists of events that are not read to their end.

    `applied` are the (id, created) of the events that were taken. Objects whose payload is not enough are retrieved
    afterwards: see `rest`. Events up to the timestamp `settled` were applied before: one from then comes late, and the
    mirror may have something newer than its object.

    Events may come in any order. Of an object with rows below its own, only the latest payload may be stored: rows that
    an earlier one carries and the latest does not would stay. These payloads are kept until all events are read (see
    `held`); where there are many, the others are retrieved.
    """

    readers: Sequence[TableReader]
    known: frozenset[str]
    settled: int = 0
    open: int = 0
    applied: list[tuple[str, int]] = field(default_factory=list)
    _latest: dict[_Key, int] = field(default_factory=dict)
    _refetch: dict[_Key, None] = field(default_factory=dict)
    _held: dict[_Key, msgspec.Raw] = field(default_factory=dict)
    _roots: dict[str, list[TableReader]] = field(default_factory=dict)
    _children: dict[str, list[tuple[TableReader, TableReader]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        roots, children = defaultdict(list), defaultdict(list)
        by_table = {reader.table: reader for reader in self.readers if reader.follow is not None}
        for reader in self.readers:
            options = reader.options
            for kind in reader.pages.row.expected:
                if reader.follow is not None:
                    roots[kind].append(reader)
                elif isinstance(options, BelowParents) and options.partial and options.parent.table in by_table:
                    children[kind].append((reader, by_table[options.parent.table]))
        self._roots, self._children = dict(roots), dict(children)

    def take(self, page: Page) -> Iterator[tuple[TableReader, Page]]:
        """The rows that a page of events carries itself, as pages of the tables that they belong to."""
        payloads: dict[int, dict[str, msgspec.Raw]] = defaultdict(dict)
        for event in page.rows:
            if event.f_id in self.known:
                continue
            created = event.f_created or 0
            self.applied.append((event.f_id, created))
            found = _DATA.decode(event.f_data).object if event.f_data else None
            if found is None:
                continue
            subject = _SUBJECT.decode(found)
            for reader in self._roots.get(subject.object, ()):
                if subject.id is not None and _belongs(reader, subject, found):
                    self._take_one(reader, subject.id, created, event, found, payloads)
            for child, parent in self._children.get(subject.object, ()):
                if (owner := _owner(child, found)) is not None:
                    self._latest[parent.index, owner] = max(created, self._latest.get((parent.index, owner), 0))
                    self._ask_for(parent, owner, payloads)
        for index, objects in payloads.items():
            reader = self.readers[index]
            yield reader, reader.pages.read(msgspec.json.encode({"data": list(objects.values())}))

    def _take_one(
        self,
        reader: TableReader,
        identifier: str,
        created: int,
        event: Any,
        found: msgspec.Raw,
        payloads: dict[int, dict[str, msgspec.Raw]],
    ) -> None:
        key = (reader.index, identifier)
        before = self._latest.get(key)
        if before is not None and created < before:
            return
        self._latest[key] = created
        follow = reader.follow
        if follow is None or key in self._refetch:
            return
        tied = before == created  # which of the two is the later one is not known
        late = created <= self.settled
        sure = follow.payload and event.f_api_version == follow.version and not tied and not late
        if not sure or event.f_type.endswith(".deleted"):
            self._ask_for(reader, identifier, payloads)
        elif not reader.children:
            payloads[reader.index][identifier] = found
        elif key in self._held or len(self._held) < _HELD:
            self._held[key] = found.copy()  # without the page around it
        else:
            self._ask_for(reader, identifier, payloads)

    def _ask_for(self, reader: TableReader, identifier: str, payloads: dict[int, dict[str, msgspec.Raw]]) -> None:
        payloads[reader.index].pop(identifier, None)
        self._held.pop((reader.index, identifier), None)
        self._refetch[reader.index, identifier] = None

    def held(self) -> Iterator[tuple[TableReader, Page]]:
        """The rows that were kept until all events are read."""
        by_reader: dict[int, list[msgspec.Raw]] = defaultdict(list)
        for (index, _), found in self._held.items():
            by_reader[index].append(found)
        self._held.clear()
        for index, objects in by_reader.items():
            for place in range(0, len(objects), _PAGE):
                reader = self.readers[index]
                yield reader, reader.pages.read(msgspec.json.encode({"data": objects[place : place + _PAGE]}))

    def rest(self) -> list[Cursor]:
        """The objects that must be retrieved, once all events are read."""
        return [self.readers[index].refetch(identifier) for index, identifier in self._refetch]


def _belongs(reader: TableReader, subject: _Subject, found: msgspec.Raw) -> bool:
    """Whether the object is a row of the table, and not one that its list returns anyway."""
    follow = reader.follow
    if follow is None:
        return False
    if follow.newer is not None and subject.created is not None and subject.created >= follow.newer:
        return False
    if not follow.on_a_clock and follow.not_with is None:
        return True
    fields = _FIELDS.decode(found)
    hidden = ["test_clock"] if follow.on_a_clock else []
    hidden += [follow.not_with] if follow.not_with is not None else []
    return all(bytes(fields.get(name, _NULL)) in _NO_TEXT for name in hidden)


def _owner(child: TableReader, found: msgspec.Raw) -> str | None:
    """The id of the parent that an object of a table with parents names."""
    options = child.options
    if not isinstance(options, BelowParents) or len(options.parent.params) != 1:
        return None
    raw = _FIELDS.decode(found).get(options.parent.params[0].field, _NULL)
    try:
        return _TEXT.decode(raw) or None
    except msgspec.ValidationError:
        return None


_NULL: Final = msgspec.Raw(b"null")
