"""`Read.options`: how a Stripe table is read, in JSON. Written by `reads.plan_reads`, followed by the extraction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict

Strategy = Literal["none", "list", "retrieve", "parents", "embedded", "kept", "changes"]
"""How the rows are reached.

- `none`: no row can be needed; nothing is requested.
- `list`: page through `path` once for each of `variants`.
- `retrieve`: GET `retrieve` once for each of `ids` (its one `{…}` is the id), with the `params` of the one variant.
  404 means: no such row. An answer with `deleted: true` is a deleted row.
- `parents`: page through `path` once for each of `variants` and each parent. The parents are the rows of
  `parent.table`, which has a Read of its own in the same plan, or `parent.values` if these are given. 404 for a parent
  means: no rows.
- `embedded`: the rows arrive inside the rows of `parent.table` (its Read is in the same plan), in their field
  `parent.embedded`: a list object whose first items are in `data` and whose rest, if `has_more`, lies behind its
  `url`. When the field is missing, `path` is read as with `parents`.
- `kept`: the mirror has the rows; only those that `changes` speaks of are read again.
- `changes`: page through the account's events, and have each object that they speak of brought up to date by the read
  that follows it (see `Follow`).
"""


class Follow(TypedDict):
    """How a read brings an object up to date that an event speaks of.

    `payload`: the event's own object will do where it is of API version `version`; otherwise it is retrieved from
    `path` with `params`. Objects created from `newer` on come with the read's own list, now or later. `on_a_clock`:
    the list leaves out objects on a test clock; `not_with` is a field that its rows never have.
    """

    payload: bool
    version: str
    path: str
    params: dict[str, str]
    newer: int | None
    on_a_clock: bool
    not_with: str | None


class ChangesOptions(TypedDict):
    """Which events are read: those created from `since` on that are not among `applied`; none where `since` is null.

    Up to `settled` events were applied before; one from then comes late. `looks_back`: `since` is early enough for all
    that came late since they were sought last. The interval of applied events begins anew where `since` is null; `lost`
    (RFC 3339) says from when on events could not be read any more, if that leaves a hole.
    """

    since: int | None
    settled: int | None
    looks_back: bool
    applied: list[str]
    lost: str | None


class Variant(TypedDict):
    """One kind of list request, paging aside.

    `params` goes into the query string as it stands: filters, overridden defaults, fixed parameters, `expand[0]`
    and so on. It never holds paging or the `created` window. `gte` and `lt` bound the time of creation in Unix
    seconds, as `created[gte]` and `created[lt]` (null: no bound); the extraction may cut the window `[gte, lt)`
    into smaller ones. `where` is what the variant covers, besides the window: predicates `[column, op, [values]]`
    that all hold (empty: everything). A 400 or 404 with code `resource_missing` whose `param` is in `params` means:
    no rows.
    """

    params: dict[str, str]
    gte: int | None
    lt: int | None
    where: list[tuple[str, str, list[str | int | float | bool]]]


class ParentParam(TypedDict):
    """`param` of each request takes the parent row's `column`; rows where it is NULL are skipped.

    With `in_path` it replaces `{param}` in the path, otherwise it is a query parameter. `field` is the column of the
    row read that holds the parent's value: set it where Stripe's object lacks it.
    """

    param: str
    column: str
    field: str
    in_path: bool


class ParentOptions(TypedDict):
    """Where the parents come from: the rows of `table`, or just `values` of the first of `params`."""

    table: str
    params: list[ParentParam]
    values: list[str] | None
    embedded: str | None


class ReadOptions(TypedDict):
    """How one table is read.

    `page` is the list's page style; `created` is the column that variants' windows bound and may be cut by; null
    forbids cutting, because rows may have no such time. `newest_first` lists are ordered by it. `limit` is how many
    rows each variant needs at most (null: all). `ids` and `retrieve` belong to the strategy `retrieve` (a list may have
    some besides), `parent` to `parents` and `embedded`. Variants may overlap: rows are told apart by the table's key.

    `expanded` are the fields that the variants' `expand` parameters ask for. The rest is of reads that go on from a
    mirror: `continues` (RFC 3339) is the age of the windows that the variants make longer; with `partial`, the rows
    of parents that come now are read, and what these do not have any more is gone; `follow` is set where `changes`
    reach the table. `carries` are the tables below whose rows come with each row of this one, and with all before: its
    windows say so. With `gathers` (RFC 3339: since when) a `partial` table is whole when this read is done: all windows
    of its parents have carried it. `gathered` are the pages and rows that were read of it before.
    """

    table: str
    path: str
    page: Literal["cursor", "none", "v2"]
    strategy: Strategy
    variants: list[Variant]
    created: str | None
    newest_first: bool
    limit: int | None
    retrieve: str | None
    ids: list[str]
    parent: ParentOptions | None
    expanded: list[str]
    continues: str | None
    partial: bool
    follow: Follow | None
    changes: ChangesOptions | None
    carries: list[str]
    gathers: str | None
    gathered: list[int]


def followed_tables(reads: Sequence[ReadOptions]) -> frozenset[str]:
    """The tables that a run's events bring up to date: those that are followed, and those that hang on their rows."""
    found = {each["table"] for each in reads if each["follow"] is not None}
    size = 0
    while len(found) > size:
        size = len(found)
        found |= {each["table"] for each in reads if parent_table(each) in found}
    return frozenset(found)


def parent_table(options: ReadOptions) -> str | None:
    """The table on whose rows a read hangs; None for one that stands alone, or is made for some values."""
    parent = options["parent"]
    return parent["table"] if parent is not None and parent["values"] is None else None
