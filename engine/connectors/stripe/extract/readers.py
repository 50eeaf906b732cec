"""The reads of a partition, with what their pages are checked against, and the cursors that they begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import quote

import msgspec

from ..planning.read_options import ParentOptions, ReadOptions, Variant
from .cursors import Cursor, Kind, split_url
from .pages import Page, PageReader
from .rowtypes import RowType, row_type


class _Embedded(msgspec.Struct, gc=False):
    """A list object inside its parent."""

    data: msgspec.Raw
    has_more: bool = False
    url: str | None = None


class _Identified(msgspec.Struct, gc=False):
    id: str


_EMBEDDED = msgspec.json.Decoder(_Embedded)
_IDENTIFIED = msgspec.json.Decoder(list[_Identified])


@dataclass(slots=True)
class TableReader:
    """One read: its options, its page reader, and the indices of the reads that hang on its rows."""

    index: int
    options: ReadOptions
    pages: PageReader
    children: list[int] = field(default_factory=list)

    @property
    def table(self) -> str:
        """The table's name."""
        return self.options["table"]

    @property
    def created(self) -> str:
        """The field that windows of the list are cut by."""
        created = self.options["created"]
        return created if isinstance(created, str) else "created"

    @property
    def source(self) -> str:
        """How its rows are read, for `_source`."""
        return self.options["strategy"]

    def params(self, cursor: Cursor) -> dict[str, str]:
        """The parameters of the variant that a cursor reads; an object that is retrieved by itself has none."""
        return self.options["variants"][cursor.variant]["params"] if cursor.variant >= 0 else {}

    def first_cursors(self) -> Iterator[Cursor]:
        """The cursors that this read begins with; children begin with their parents' rows."""
        match self.options["strategy"]:
            case "list":
                for place, variant in enumerate(self.options["variants"]):
                    yield self._list_cursor(place, variant)
                yield from self._object_cursors(self.options["ids"])
            case "retrieve":
                yield from self._object_cursors(self.options["ids"])
            case "changes" if (changes := self.options["changes"]) is not None and changes["since"] is not None:
                cursor = self._list_cursor(0, self.options["variants"][0])
                cursor.urgent = True
                yield cursor
            case "parents" if (parent := self._parent())["values"] is not None:
                name = parent["params"][0]["column"]
                for value in parent["values"] or ():
                    yield from self.cursors_below({name: value})
            case _:
                return

    def _object_cursors(self, ids: Sequence[str]) -> Iterator[Cursor]:
        head, _, rest = (self.options["retrieve"] or "").partition("{")
        tail = rest.partition("}")[2]
        variant = 0 if self.options["strategy"] == "retrieve" else -1
        for each in ids:
            path = f"{head}{quote(each, safe='')}{tail}"
            yield Cursor(read=self.index, variant=variant, kind="object", path=path, id=each)

    def refetch(self, identifier: str) -> Cursor:
        """The cursor of one object that a change speaks of."""
        follow = self.options["follow"]
        if follow is None:
            raise ValueError(f"the read of {self.table} follows no changes")
        head, _, rest = follow["path"].partition("{")
        path = f"{head}{quote(identifier, safe='')}{rest.partition('}')[2]}"
        return Cursor(
            read=self.index, variant=-1, kind="object", path=path, params=follow["params"], id=identifier, urgent=True
        )

    def _list_cursor(self, place: int, variant: Variant) -> Cursor:
        limit = self.options["limit"]
        windowed = bool(self.options["created"]) and self.options["newest_first"] and limit is None
        return Cursor(
            read=self.index,
            variant=place,
            kind=self._kind(),
            path=self.options["path"],
            windowed=windowed and self.options["page"] == "cursor",
            gte=variant["gte"],
            lt=variant["lt"],
            limit=limit,
        )

    def cursors_below(self, parent_row: Mapping[str, object]) -> Iterator[Cursor]:
        """The lists of one parent's rows, one a variant; none when the parent lacks a value that they need."""
        options = self._parent()
        path, params, held = self.options["path"], {}, {}
        for each in options["params"]:
            value = parent_row.get(each["column"])
            if not isinstance(value, str) or not value:
                return
            held[each["field"]] = value
            if each["in_path"]:
                path = path.replace(f"{{{each['param']}}}", quote(value, safe=""))
            else:
                params[each["param"]] = value
        for place, variant in enumerate(self.options["variants"]):
            yield Cursor(
                read=self.index,
                variant=place,
                kind=self._kind(),
                path=path,
                params=params,
                parent=held,
                gte=variant["gte"],
                lt=variant["lt"],
                limit=self.options["limit"],
            )

    def below(self, page: Page) -> tuple[Page | None, list[Cursor]]:
        """What hangs on a page of parents: a page of the rows that they carry, and cursors for all others."""
        parent = self._parent()
        columns = {each["column"]: page.column(each["column"]) for each in parent["params"]}
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        if self.options["strategy"] != "embedded" or parent["embedded"] is None:
            return None, [cursor for row in rows for cursor in self.cursors_below(row)]
        groups: list[tuple[dict[str, str], bytes]] = []
        cursors: list[Cursor] = []
        for row, raw in zip(rows, page.column(parent["embedded"]), strict=True):
            found = _embedded(raw)
            if found is None:
                cursors.extend(self.cursors_below(row))
                continue
            held = {each["field"]: row[each["column"]] for each in parent["params"]}
            data = bytes(found.data)
            groups.append((held, data))
            if found.has_more:
                cursors.append(self._rest(row, held, found, data))
        return (self.pages.read_children(groups) if groups else None), cursors

    def _rest(self, row: dict[str, object], held: dict[str, str], found: _Embedded, data: bytes) -> Cursor:
        """The cursor for what an embedded list holds beyond its first rows."""
        trail = [each.id for each in _IDENTIFIED.decode(data)]
        if found.url:
            path, params = split_url(found.url)
            return Cursor(
                read=self.index, variant=0, kind=self._kind(), path=path, params=params, parent=held, trail=trail
            )
        cursor = next(self.cursors_below(row))
        cursor.trail = trail
        return cursor

    def _kind(self) -> Kind:
        return cast("Kind", {"cursor": "list", "none": "once", "v2": "v2"}[self.options["page"]])

    def _parent(self) -> ParentOptions:
        parent = self.options["parent"]
        if parent is None:
            raise ValueError(f"the read of {self.table} names no parent")
        return parent


def make_readers(options: Sequence[ReadOptions], livemode: bool | None) -> list[TableReader]:
    """A reader for each read, linked to those that hang on its rows. KeyError for a table that is not known."""
    readers = [TableReader(i, each, PageReader(_rows_of(each), livemode)) for i, each in enumerate(options)]
    by_table = {reader.table: reader for reader in readers}
    for reader in readers:
        parent = reader.options["parent"]
        if parent is not None and parent["values"] is None and reader.options["strategy"] in ("parents", "embedded"):
            by_table[parent["table"]].children.append(reader.index)
    return readers


def _rows_of(options: ReadOptions) -> RowType:
    return row_type("events" if options["strategy"] == "changes" else options["table"])


def _embedded(raw: msgspec.Raw | None) -> _Embedded | None:
    """The list object of a parent's field; None when it is absent, null or no list object."""
    if raw is None or bytes(raw) in (b"", b"null"):
        return None
    try:
        return _EMBEDDED.decode(raw)
    except msgspec.ValidationError:
        return None
