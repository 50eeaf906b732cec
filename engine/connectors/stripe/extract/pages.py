"""Pages, checked: clean ones are passed on unchanged, others are rewritten so that nothing in them is lost.

A page is clean when every object has only fields that the catalogue knows, with values that their columns hold. In a
dirty page, whatever does not fit is in `_extra` of its object, and an expanded reference is its id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, Final

import msgspec

from engine.connector import ConnectorError, Failure, FailureKind

from .rowtypes import EXTRA, PREFIX, Envelope, LooseList, RowType

Item = dict[str, msgspec.Raw]
Drift = Counter[tuple[str, str]]
"""(field, "unknown" | "mistyped") → rows."""


class _Identified(msgspec.Struct, gc=False):
    id: str


class _List(msgspec.Struct, gc=False):
    """A list answer that must have items."""

    data: list[msgspec.Raw]


_LOOSE: Final = msgspec.json.Decoder(LooseList)
_STRICT: Final = msgspec.json.Decoder(_List)
_ITEM: Final = msgspec.json.Decoder(Item)
_ITEMS: Final = msgspec.json.Decoder(list[Item])
_IDENTIFIED: Final = msgspec.json.Decoder(_Identified)
_LIVEMODE: Final = attrgetter(f"{PREFIX}livemode")
_NULL: Final = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Page:
    """A checked page: `body` for the spool, its rows (attributes are `f_<field>`), what paging needs, its drift."""

    body: bytes
    rows: Sequence[Any]
    envelope: Envelope
    extra: bool = False
    drift: Drift = field(default_factory=Counter)

    def column(self, name: str) -> list[Any]:
        """The values of a field, in order of the rows."""
        return list(map(attrgetter(PREFIX + name), self.rows))


class PageReader:
    """Reads pages of one table. `livemode` is the value of every object that has the field; None: any value."""

    def __init__(self, row: RowType, livemode: bool | None) -> None:
        self.row = row
        self._livemode = livemode if "livemode" in row.fields else None

    def read(self, body: bytes) -> Page:
        """Check a list answer. `msgspec.DecodeError` when it is no list; `ConnectorError` when its rows are others'."""
        try:
            if not body.isascii():  # which is the rule, and seen without a copy
                str(body, "utf-8")
        except UnicodeDecodeError as error:
            raise msgspec.DecodeError("the body is no UTF-8") from error
        try:
            decoded = self.row.page.decode(body)
        except msgspec.ValidationError:
            page = self._rewrite(body, _items(body))
        else:
            page = Page(body, decoded.data, decoded)
        self._check_mode(page)
        return page

    def read_object(self, body: bytes) -> Page:
        """Check the answer of a retrieve: a page of one row, or of none when the object is deleted."""
        item = _ITEM.decode(body)
        if bytes(item.get("deleted", _NULL)) == b"true":
            return Page(b"", (), Envelope())
        return self.read(b'{"data":[' + body + b"]}")

    def without(self, page: Page, unwanted: Callable[[Any], bool]) -> Page:
        """The page without the rows for which `unwanted` holds."""
        keep = [not unwanted(row) for row in page.rows]
        if all(keep):
            return page
        items = [raw for raw, kept in zip(_LOOSE.decode(page.body).data, keep, strict=True) if kept]
        rows = [row for row, kept in zip(page.rows, keep, strict=True) if kept]
        body = b'{"data":[' + b",".join(bytes(item) for item in items) + b"]}"
        return Page(body, rows, page.envelope, page.extra, page.drift)

    def read_below(self, values: Mapping[str, str], body: bytes) -> Page:
        """Check a list answer whose rows belong to one parent; `values` is what the parent's fields hold."""
        if set(values) <= self.row.own:
            page = self.read(body)
            if not any(None in page.column(name) for name in values):
                return page
        page = self._read_items(_filled(values, _items(body)))
        return replace(page, envelope=_LOOSE.decode(body))

    def read_children(self, groups: Iterable[tuple[Mapping[str, str], bytes]]) -> Page:
        """Check rows that several parents carry: pairs of what a parent's fields hold, and a JSON list of objects.

        The parents' fields are filled in where an object lacks them.
        """
        try:
            return self._read_groups([(values, data) for values, data in groups if data.strip()[1:-1].strip()])
        except msgspec.DecodeError as error:
            raise self._unusable(f"an embedded list cannot be read: {error}") from error

    def _read_groups(self, groups: Sequence[tuple[Mapping[str, str], bytes]]) -> Page:
        names = {name for values, _ in groups for name in values}
        if names <= self.row.own:
            page = self.read(b'{"data":[' + b",".join(data.strip()[1:-1] for _, data in groups) + b"]}")
            if not any(None in page.column(name) for name in names):
                return page
        return self._read_items([item for values, data in groups for item in _filled(values, _ITEMS.decode(data))])

    def _read_items(self, items: list[Item]) -> Page:
        return self.read(msgspec.json.encode({"data": items}))

    def _rewrite(self, body: bytes, items: list[Item]) -> Page:
        drift: Drift = Counter()
        for item in items:
            self._fit(item, drift)
        rewritten = msgspec.json.encode({"data": items})
        try:
            decoded = self.row.page.decode(rewritten)
        except msgspec.ValidationError as error:
            raise self._unusable(f"the objects cannot be stored: {error}") from error
        return Page(rewritten, decoded.data, _LOOSE.decode(body), bool(drift), drift)

    def _fit(self, item: Item, drift: Drift) -> None:
        """Bring one object into the form of its row type, in place."""
        extra: Item = {}
        for name in list(item):
            decoder = self.row.fields.get(name)
            if decoder is None:
                drift[name, "unknown"] += 1
                extra[name] = item.pop(name)
                continue
            try:
                decoder.decode(item[name])
            except msgspec.ValidationError as error:
                if name == "object":
                    raise self._other_object(item[name]) from error
                if (reference := self._reference(name, item[name])) is not None:
                    item[name] = reference
                    continue
                drift[name, "mistyped"] += 1
                extra[name] = item.pop(name)
        if extra:
            item[EXTRA] = msgspec.Raw(msgspec.json.encode(extra))

    def _reference(self, name: str, value: msgspec.Raw) -> msgspec.Raw | None:
        """The id of an expanded reference."""
        if name not in self.row.references:
            return None
        try:
            return msgspec.Raw(msgspec.json.encode(_IDENTIFIED.decode(value).id))
        except msgspec.ValidationError:
            return None

    def _check_mode(self, page: Page) -> None:
        if self._livemode is None:
            return
        if (not self._livemode) in set(map(_LIVEMODE, page.rows)):
            words = ("live", "test") if self._livemode else ("test", "live")
            raise self._unusable(
                f"the connection reads {words[0]} mode, but {words[1]} mode objects arrived",
                "compare the key with `mode` of the connection",
            )

    def _other_object(self, value: msgspec.Raw) -> ConnectorError:
        expected = " or ".join(f"`{name}`" for name in sorted(self.row.expected))
        return self._unusable(
            f"expected objects of type {expected}, got {bytes(value)[:60].decode('utf-8', 'replace')}"
        )

    def _unusable(self, message: str, hint: str | None = None) -> ConnectorError:
        return ConnectorError(Failure(FailureKind.ANSWER, message, hint, table=self.row.table))


def _items(body: bytes) -> list[Item]:
    """The objects of a list answer, each a mapping of undecoded values."""
    return [_ITEM.decode(raw) for raw in _STRICT.decode(body).data]


def _filled(values: Mapping[str, str], items: list[Item]) -> list[Item]:
    """The items, with `values` where they have nothing."""
    for item in items:
        for name, value in values.items():
            if bytes(item.get(name, _NULL)) == b"null":
                item[name] = msgspec.Raw(msgspec.json.encode(value))
    return items
