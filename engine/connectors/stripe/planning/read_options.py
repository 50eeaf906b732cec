"""`Read.options`: how a Stripe table is read, one class for each strategy.

Written by `plan_reads`, narrowed by `refresh_reads` to what a mirror lacks, followed by the extraction. In JSON, as
part of a plan and of a worker's payload, `strategy` names the class, and fields with their defaults are absent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, assert_never

import msgspec

from engine.connector import CHANGES, Predicate, Read, Window

from ..catalogue import PageStyle


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of list request, paging aside.

    `params` are filters, overridden defaults and fixed parameters, as the query string has them; neither paging, nor
    the `created` window, nor `expand`. The extraction may cut the `window` into smaller ones. `where` is what the
    variant covers besides the window: predicates that all hold (empty: everything). A 400 or 404 with code
    `resource_missing` whose `param` is in `params` means: no rows.
    """

    params: dict[str, str]
    window: Window
    where: tuple[Predicate, ...]


class Follow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a read brings an object up to date that an event names.

    `payload`: the event's own object is used where it is of API version `version`; otherwise it is retrieved from
    `path` with `params`. Objects created from `newer` on come with the read's own list, now or later. `on_a_clock`:
    the list omits objects on a test clock; `not_with` is a field that its rows never have.
    """

    payload: bool
    version: str
    path: str
    params: dict[str, str]
    newer: int | None
    on_a_clock: bool
    not_with: str | None


class ParentParam(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`param` of each request takes the parent row's `column`; rows where it is NULL are skipped.

    With `in_path` it replaces `{param}` in the path, otherwise it is a query parameter. `field` is the column of the
    row read that holds the parent's value: it is set where Stripe's object lacks it.
    """

    param: str
    column: str
    field: str
    in_path: bool


class ParentRows(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parents are the rows of `table`, which has a read of its own in the same plan."""

    table: str
    params: tuple[ParentParam, ...]


class Gathering(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Windows of the parents have carried a table since this timestamp; so many pages and rows of it were read before.

    When the read is done the table is whole.
    """

    since: datetime
    pages: int
    rows: int


class _Options(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="strategy"
):
    """What all reads of a table have. `expanded` are fields that only come when requested, and are requested."""

    table: str
    expanded: tuple[str, ...] = ()


class RootOptions(_Options, frozen=True, kw_only=True):
    """A read that does not depend on the rows of another one.

    `follow` is set where events reach the table. `carries` are the tables below whose rows come with each row of this
    one, and with all before: its windows claim so.
    """

    follow: Follow | None = None
    carries: tuple[str, ...] = ()


class NoRows(RootOptions, frozen=True, kw_only=True, tag="none"):
    """No row can be needed; nothing is requested."""


class Kept(RootOptions, frozen=True, kw_only=True, tag="kept"):
    """The mirror has the rows; only those that events name are read again."""


class Listed(RootOptions, frozen=True, kw_only=True, tag="list"):
    """Page through `path` once for each of `variants`; they may overlap, rows are distinguished by the table's key.

    `created` is the column that windows bound and may be cut by; None forbids cutting, because rows may have no such
    time. `newest_first` lists are ordered by it. `limit` is how many rows each variant needs at most (None: all). `ids`
    are objects that are retrieved besides, from `retrieve`. `continues` is the age of the windows in the mirror that
    the variants extend.
    """

    path: str
    page: PageStyle
    variants: tuple[Variant, ...]
    created: str | None = None
    newest_first: bool = False
    limit: int | None = None
    ids: tuple[str, ...] = ()
    retrieve: str | None = None
    continues: datetime | None = None


class Retrieved(RootOptions, frozen=True, kw_only=True, tag="retrieve"):
    """GET `retrieve` once for each of `ids` (its one `{…}` is the id); `where` is what that covers.

    404 means: no such row. An answer with `deleted: true` is a deleted row.
    """

    retrieve: str
    ids: tuple[str, ...]
    where: tuple[Predicate, ...]


class ListedForValues(_Options, frozen=True, kw_only=True, tag="values"):
    """Page through `path` once for each of `variants` and each of `values`, which are known parents.

    404 for a parent means: no rows.
    """

    path: str
    page: PageStyle
    variants: tuple[Variant, ...]
    param: ParentParam
    values: tuple[str, ...]


class BelowParents(_Options, frozen=True, kw_only=True):
    """A read that depends on the rows of another one, its parents.

    With `partial`, all rows of the parents that are read now are read, and rows that these no longer have are gone;
    `gathering` is set where that makes the table whole.
    """

    path: str
    page: PageStyle
    variants: tuple[Variant, ...]
    parent: ParentRows
    partial: bool = False
    gathering: Gathering | None = None


class ListedForParents(BelowParents, frozen=True, kw_only=True, tag="parents"):
    """Page through `path` once for each of `variants` and each parent. 404 for a parent means: no rows."""


class Embedded(BelowParents, frozen=True, kw_only=True, tag="embedded"):
    """The rows arrive inside the parents, in their `field`: a list object whose first items are in `data` and whose
    rest, if `has_more`, lies behind its `url`. When the field is missing, `path` is read as with `ListedForParents`."""

    field: str


class AccountEvents(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="strategy",
    tag="changes",
):
    """Page through the account's events, and bring each object that they name up to date (see `Follow`).

    Events created from `since` on that are not among `applied` are read; none where `since` is None, and the interval
    of applied events begins again. Up to `settled` events were applied before; one from then comes late. `looks_back`:
    `since` is early enough for all that came late since they were last looked for. `lost` is from when on events could
    not be read, if that leaves a hole.
    """

    since: int | None = None
    settled: int | None = None
    looks_back: bool = False
    applied: tuple[str, ...] = ()
    lost: datetime | None = None

    @property
    def table(self) -> str:
        """The name of this read, which is no table's."""
        return CHANGES


TableOptions = NoRows | Kept | Listed | Retrieved | ListedForValues | ListedForParents | Embedded
ReadOptions = TableOptions | AccountEvents


def encode_options(options: ReadOptions) -> Mapping[str, object]:
    """The options as `Read.options`: values as JSON gives them back, so that a plan equals itself when it is read."""
    encoded: dict[str, object] = msgspec.json.decode(msgspec.json.encode(options))
    return encoded


def decode_options(value: object) -> ReadOptions:
    """The options that `encode_options` wrote. `msgspec.ValidationError` for anything else."""
    found: ReadOptions = msgspec.convert(value, _ANY)
    return found


def options_of(read: Read) -> TableOptions:
    """How a table is read. `msgspec.ValidationError` for the read of events."""
    found: TableOptions = msgspec.convert(read.options, _OF_TABLES)
    return found


def variants_of(options: TableOptions) -> tuple[Variant, ...]:
    """The kinds of list requests of a read; none where it lists nothing."""
    match options:
        case NoRows() | Kept() | Retrieved():
            return ()
        case Listed() | ListedForValues() | ListedForParents() | Embedded():
            return options.variants
        case _:
            assert_never(options)


def expand_params(options: ReadOptions) -> dict[str, str]:
    """The parameters of each request that have the answer carry the fields in `expanded`."""
    if isinstance(options, AccountEvents):
        return {}
    prefix = "" if isinstance(options, Retrieved) else "data."
    return {f"expand[{place}]": f"{prefix}{name}" for place, name in enumerate(options.expanded)}


def source_of(options: ReadOptions) -> str:
    """How rows are read, in the words of `_source` and `weir.coverage`."""
    match options:
        case NoRows():
            return "none"
        case Kept():
            return "kept"
        case Listed():
            return "list"
        case Retrieved():
            return "retrieve"
        case ListedForValues() | ListedForParents():
            return "parents"
        case Embedded():
            return "embedded"
        case AccountEvents():
            return "changes"
        case _:
            assert_never(options)


def follow_of(options: ReadOptions) -> Follow | None:
    """How events reach the table; None where they do not."""
    return options.follow if isinstance(options, RootOptions) else None


def carried_tables(reads: Sequence[ReadOptions]) -> frozenset[str]:
    """The tables whose rows come with the windows of others."""
    return frozenset(name for each in reads if isinstance(each, RootOptions) for name in each.carries)


def parent_table(options: ReadOptions) -> str | None:
    """The table on whose rows a read depends; None for one that stands alone, or is made for known values."""
    return options.parent.table if isinstance(options, BelowParents) else None


def followed_tables(reads: Sequence[ReadOptions]) -> frozenset[str]:
    """The tables that a run's events bring up to date: those that are followed, and those below them."""
    found = {each.table for each in reads if follow_of(each) is not None}
    size = 0
    while len(found) > size:
        size = len(found)
        found |= {each.table for each in reads if parent_table(each) in found}
    return frozenset(found)


_ANY: Any = ReadOptions
_OF_TABLES: Any = TableOptions
