"""The reads of a partition, with what their pages are checked against, and the cursors that they begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, assert_never
from urllib.parse import quote

import msgspec

from ..catalogue import PageStyle
from ..planning.read_options import (
    AccountEvents,
    BelowParents,
    Embedded,
    Follow,
    Kept,
    Listed,
    ListedForParents,
    ListedForValues,
    NoRows,
    ParentParam,
    ReadOptions,
    Retrieved,
    expand_params,
    follow_of,
    source_of,
    variants_of,
)
from .cursors import Cursor, Kind, split_url
from .pages import Page, PageReader
from .rowtypes import RowType, row_type


class _EmbeddedList(msgspec.Struct, gc=False):
    """A list object inside its parent."""

    data: msgspec.Raw
    has_more: bool = False
    url: str | None = None


class _Identified(msgspec.Struct, gc=False):
    id: str


_EMBEDDED = msgspec.json.Decoder(_EmbeddedList)
_IDENTIFIED = msgspec.json.Decoder(list[_Identified])
_KINDS: Final[Mapping[PageStyle, Kind]] = MappingProxyType(
    {PageStyle.CURSOR: "list", PageStyle.NONE: "once", PageStyle.V2: "v2"}
)


@dataclass(slots=True)
class TableReader:
    """One read: its options, its page reader, and the indices of the reads below it."""

    index: int
    options: ReadOptions
    pages: PageReader
    children: list[int] = field(default_factory=list)

    @property
    def table(self) -> str:
        """The table's name."""
        return self.options.table

    @property
    def created(self) -> str:
        """The field that windows of the list are cut by."""
        return (self.options.created if isinstance(self.options, Listed) else None) or "created"

    @property
    def source(self) -> str:
        """How its rows are read, for `_source`."""
        return source_of(self.options)

    @property
    def follow(self) -> Follow | None:
        """How events reach the table; None where they do not."""
        return follow_of(self.options)

    def params(self, cursor: Cursor) -> dict[str, str]:
        """The parameters of the variant that a cursor reads; an object that is retrieved by itself has none."""
        if cursor.variant < 0 or isinstance(self.options, AccountEvents):
            return {}
        expand = expand_params(self.options)
        if isinstance(self.options, Retrieved):
            return expand
        return {**variants_of(self.options)[cursor.variant].params, **expand}

    def first_cursors(self) -> Iterator[Cursor]:
        """The cursors that this read begins with; children begin with their parents' rows."""
        options = self.options
        match options:
            case Listed():
                yield from (self._list_cursor(options, place) for place in range(len(options.variants)))
                yield from self._object_cursors(options.retrieve or "", options.ids, -1)
            case Retrieved():
                yield from self._object_cursors(options.retrieve, options.ids, 0)
            case ListedForValues():
                for value in options.values:
                    yield from self._cursors_of(options, (options.param,), {options.param.column: value})
            case AccountEvents():
                if options.since is not None:
                    yield self._events_cursor(options.since)
            case NoRows() | Kept() | ListedForParents() | Embedded():
                return
            case _:
                assert_never(options)

    def _object_cursors(self, template: str, ids: Sequence[str], variant: int) -> Iterator[Cursor]:
        for each in ids:
            yield Cursor(read=self.index, variant=variant, kind="object", path=_object_path(template, each), id=each)

    def refetch(self, identifier: str) -> Cursor:
        """The cursor of one object that a change names."""
        follow = self.follow
        if follow is None:
            raise ValueError(f"the read of {self.table} follows no changes")
        path = _object_path(follow.path, identifier)
        return Cursor(
            read=self.index, variant=-1, kind="object", path=path, params=follow.params, id=identifier, urgent=True
        )

    def _list_cursor(self, options: Listed, place: int) -> Cursor:
        window = options.variants[place].window
        ordered = bool(options.created) and options.newest_first and options.limit is None
        return Cursor(
            read=self.index,
            variant=place,
            kind=_KINDS[options.page],
            path=options.path,
            windowed=ordered and options.page is PageStyle.CURSOR,
            gte=window.gte,
            lt=window.lt,
            limit=options.limit,
        )

    def _events_cursor(self, since: int) -> Cursor:
        return Cursor(read=self.index, variant=0, kind="list", path="/v1/events", windowed=True, gte=since, urgent=True)

    def cursors_below(self, parent_row: Mapping[str, object]) -> Iterator[Cursor]:
        """The lists of one parent's rows, one a variant; none when the parent lacks a value that they need."""
        options = self._below()
        return self._cursors_of(options, options.parent.params, parent_row)

    def _cursors_of(
        self, options: BelowParents | ListedForValues, given: Sequence[ParentParam], parent_row: Mapping[str, object]
    ) -> Iterator[Cursor]:
        path, params, held = options.path, {}, {}
        for each in given:
            value = parent_row.get(each.column)
            if not isinstance(value, str) or not value:
                return
            held[each.field] = value
            if each.in_path:
                path = path.replace(f"{{{each.param}}}", quote(value, safe=""))
            else:
                params[each.param] = value
        for place, variant in enumerate(options.variants):
            yield Cursor(
                read=self.index,
                variant=place,
                kind=_KINDS[options.page],
                path=path,
                params=params,
                parent=held,
                gte=variant.window.gte,
                lt=variant.window.lt,
            )

    def below(self, page: Page) -> tuple[Page | None, list[Cursor]]:
        """What belongs to a page of parents: a page of the rows that they carry, and cursors for all others."""
        options = self._below()
        params = options.parent.params
        columns = {each.column: page.column(each.column) for each in params}
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        if not isinstance(options, Embedded):
            return None, [cursor for row in rows for cursor in self.cursors_below(row)]
        groups: list[tuple[dict[str, str], bytes]] = []
        cursors: list[Cursor] = []
        for row, raw in zip(rows, page.column(options.field), strict=True):
            found = _embedded(raw)
            if found is None:
                cursors.extend(self.cursors_below(row))
                continue
            held = {each.field: row[each.column] for each in params}
            data = bytes(found.data)
            groups.append((held, data))
            if found.has_more:
                cursors.append(self._rest(options, row, held, found, data))
        return (self.pages.read_children(groups) if groups else None), cursors

    def _rest(
        self, options: Embedded, row: dict[str, object], held: dict[str, str], found: _EmbeddedList, data: bytes
    ) -> Cursor:
        """The cursor for what an embedded list holds beyond its first rows."""
        trail = [each.id for each in _IDENTIFIED.decode(data)]
        if found.url:
            path, params = split_url(found.url)
            kind = _KINDS[options.page]
            return Cursor(read=self.index, variant=0, kind=kind, path=path, params=params, parent=held, trail=trail)
        cursor = next(self.cursors_below(row))
        cursor.trail = trail
        return cursor

    def _below(self) -> BelowParents:
        if not isinstance(self.options, BelowParents):
            raise ValueError(f"the read of {self.table} names no parent")
        return self.options


def make_readers(options: Sequence[ReadOptions], livemode: bool | None) -> list[TableReader]:
    """A reader for each read, linked to those below it. KeyError for a table that is not known."""
    readers = [TableReader(i, each, PageReader(_rows_of(each), livemode)) for i, each in enumerate(options)]
    by_table = {reader.table: reader for reader in readers}
    for reader in readers:
        if isinstance(reader.options, BelowParents):
            by_table[reader.options.parent.table].children.append(reader.index)
    return readers


def _rows_of(options: ReadOptions) -> RowType:
    return row_type("events" if isinstance(options, AccountEvents) else options.table)


def _object_path(template: str, identifier: str) -> str:
    """The path of one object: the template's one `{…}` is its id."""
    head, _, rest = template.partition("{")
    return f"{head}{quote(identifier, safe='')}{rest.partition('}')[2]}"


def _embedded(raw: msgspec.Raw | None) -> _EmbeddedList | None:
    """The list object of a parent's field; None when it is absent, null or no list object."""
    if raw is None or bytes(raw) in (b"", b"null"):
        return None
    try:
        return _EMBEDDED.decode(raw)
    except msgspec.ValidationError:
        return None
