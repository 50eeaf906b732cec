"""The fewest Stripe requests that answer the needs of SQL boxes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from engine.connector import Need, Op, Predicate, Read, Request

from ..catalogue import PageStyle, Table, load_catalogue, table_fields
from .pushdown import MAX_REQUESTS, Draft, draft_requests, fewest, ids_of_all, with_defaults
from .read_options import (
    Embedded,
    Kept,
    Listed,
    ListedForParents,
    ListedForValues,
    NoRows,
    ParentParam,
    ParentRows,
    Retrieved,
    TableOptions,
    Variant,
    encode_options,
    expand_params,
)
from .reasons import reason_of
from .windows import window_params

PAGE_SIZE = 100
"""Stripe's largest page."""


@dataclass(frozen=True, slots=True)
class _Merged:
    """All needs of one table together. `expand` are fields of it that its children or its columns need expanded."""

    table: Table
    columns: tuple[str, ...]
    where: tuple[tuple[Predicate, ...], ...]
    limit: int | None
    newest_first: bool
    expand: tuple[str, ...]
    children: tuple[str, ...]


def plan_reads(needs: Sequence[Need]) -> tuple[Read, ...]:
    """One `Read` a table, in order of name: those of `needs`, and the parents that they are read from.

    Every row that a need covers is answered by its table's read. KeyError for an unknown table.
    """
    tables = load_catalogue().tables
    own: dict[str, list[Need]] = {}
    for need in needs:
        own.setdefault(tables[need.table].name, []).append(need)
    children: dict[str, list[str]] = {}
    waiting = list(own)
    while waiting:
        name = waiting.pop()
        owner = _parent_table(tables[name], own[name])
        if owner is None:
            continue
        children.setdefault(owner, []).append(name)
        if owner not in own:
            waiting.append(owner)
        own.setdefault(owner, []).append(Need(owner, _columns_for_children(tables[name])))
    merged = {name: _merge(tables[name], own[name], sorted(children.get(name, ()))) for name in own}
    return tuple(_read(merged[name]) for name in sorted(merged))


def plan_reads_of(names: Sequence[str]) -> tuple[Read, ...]:
    """The reads of all rows of these tables, without fields that only come when requested."""
    return plan_reads([Need(name, ()) for name in names])


def _parent_table(table: Table, needs: Sequence[Need]) -> str | None:
    """The table whose rows must be read to reach this one's, or None when it stands alone for these needs."""
    where = tuple(conjunction for need in needs for conjunction in need.where)
    if not table.parents or not where or _ids(table, where) is not None or _parent_values(table, where) is not None:
        return None
    return table.parents[0].table


def _columns_for_children(child: Table) -> tuple[str, ...]:
    columns = {parent.column for parent in child.parents}
    if child.embedded is not None:
        columns.add(child.embedded.field)
    return tuple(sorted(columns))


def _merge(table: Table, needs: Sequence[Need], children: Sequence[str]) -> _Merged:
    needs = [need for need in needs if need.limit != 0]
    limits = [need.limit for need in needs]
    columns = {column for need in needs for column in need.columns}
    where = tuple(dict.fromkeys(conjunction for need in needs for conjunction in need.where))
    return _Merged(
        table=table,
        columns=tuple(field.name for field in table_fields(table.name) if field.name in columns)
        + tuple(sorted(column for column in columns if column.startswith("_"))),
        where=where,
        limit=max((each for each in limits if each is not None), default=None) if None not in limits else None,
        newest_first=any(need.newest_first for need in needs),
        expand=tuple(f.name for f in table_fields(table.name) if f.includable and f.name in columns),
        children=tuple(children),
    )


def _ids(table: Table, where: Sequence[Sequence[Predicate]]) -> tuple[str, ...] | None:
    """The few ids that may be retrieved one by one instead of listed."""
    return ids_of_all(where, "id") if table.retrieve is not None else None


def _parent_values(table: Table, where: Sequence[Sequence[Predicate]]) -> tuple[str, ...] | None:
    """The few parents whose rows may be listed without reading the parents."""
    if len(table.parents) != 1 or table.parents[0].column != "id":
        return None
    return ids_of_all(where, table.parents[0].field)


def _read(merged: _Merged) -> Read:
    table = merged.table
    ids = _ids(table, merged.where)
    values = _parent_values(table, merged.where)
    if not merged.where or ids == () or values == ():
        return _no_rows(merged)
    if ids is not None:
        return _retrieved(merged, ids)
    drafts = tuple(draft for conjunction in merged.where for draft in draft_requests(table, conjunction))
    if not drafts:
        return _no_rows(merged)
    if not table.parents:
        return _listed(merged, drafts)
    if values is not None:
        return _listed_for_values(merged, drafts, values)
    return _below_parents(merged, drafts)


def _no_rows(merged: _Merged) -> Read:
    return _finish(merged, NoRows(table=merged.table.name, expanded=merged.expand), ())


def _retrieved(merged: _Merged, ids: tuple[str, ...]) -> Read:
    where = (_one_of("id", ids),)
    options = Retrieved(
        table=merged.table.name, expanded=merged.expand, retrieve=merged.table.retrieve or "", ids=ids, where=where
    )
    return _finish(merged, options, (Draft(where=where),))


def _listed(merged: _Merged, drafts: Sequence[Draft]) -> Read:
    table = merged.table
    limit = merged.limit if _limit_holds(merged, drafts) else None
    kept = with_defaults(table, tuple(dict.fromkeys(drafts)) if limit is not None else fewest(drafts))
    options = Listed(
        table=table.name,
        expanded=merged.expand,
        path=table.path,
        page=table.page,
        variants=_variants(kept),
        created=table.created if _always_created(table) else None,
        newest_first=table.newest_first,
        limit=limit,
    )
    return _finish(merged, options, kept)


def _listed_for_values(merged: _Merged, drafts: Sequence[Draft], values: tuple[str, ...]) -> Read:
    table = merged.table
    of_values = _one_of(table.parents[0].field, values)
    narrowed = (replace(draft, where=tuple(sorted([*draft.where, of_values]))) for draft in fewest(drafts))
    kept = with_defaults(table, narrowed)
    options = ListedForValues(
        table=table.name,
        expanded=merged.expand,
        path=table.path,
        page=table.page,
        variants=_variants(kept),
        param=_parent_params(table)[0],
        values=values,
    )
    return _finish(merged, options, kept)


def _below_parents(merged: _Merged, drafts: Sequence[Draft]) -> Read:
    table = merged.table
    parent = ParentRows(table=table.parents[0].table, params=_parent_params(table))
    options: ListedForParents | Embedded
    if table.embedded is not None:
        kept = with_defaults(table, (Draft(),))
        options = Embedded(
            table=table.name,
            expanded=merged.expand,
            path=table.path,
            page=table.page,
            variants=_variants(kept),
            parent=parent,
            field=table.embedded.field,
        )
    else:
        kept = with_defaults(table, fewest(drafts))
        options = ListedForParents(
            table=table.name,
            expanded=merged.expand,
            path=table.path,
            page=table.page,
            variants=_variants(kept),
            parent=parent,
        )
    return _finish(merged, options, kept)


def _one_of(column: str, values: tuple[str, ...]) -> Predicate:
    return Predicate(column, Op.IN if len(values) > 1 else Op.EQ, values)


def _limit_holds(merged: _Merged, drafts: Sequence[Draft]) -> bool:
    """Whether the first rows of each request are enough.

    Only when the requests answer nothing but what is needed, and, where the newest rows count, in that order.
    """
    exact = all(draft.exact for draft in drafts)
    return exact and len(drafts) <= MAX_REQUESTS and (merged.table.newest_first or not merged.newest_first)


def _finish(merged: _Merged, options: TableOptions, drafts: Sequence[Draft]) -> Read:
    table = merged.table
    return Read(
        table=table.name,
        columns=merged.columns,
        where=tuple((*draft.window.predicates(table.created or "created"), *draft.where) for draft in drafts),
        requests=tuple(_requests(table, drafts, options)),
        why=reason_of(table, merged.where, options, merged.children),
        limit=options.limit if isinstance(options, Listed) else None,
        options=encode_options(options),
    )


def _always_created(table: Table) -> bool:
    """Whether every row has its time of creation, so that windows together contain all rows."""
    return any(field.name == table.created and not field.nullable for field in table_fields(table.name))


def _variants(drafts: Sequence[Draft]) -> tuple[Variant, ...]:
    return tuple(Variant(params=draft.query, window=draft.window, where=draft.where) for draft in drafts)


def _parent_params(table: Table) -> tuple[ParentParam, ...]:
    return tuple(
        ParentParam(param=each.param, column=each.column, field=each.field, in_path=each.in_path)
        for each in table.parents
    )


def _requests(table: Table, drafts: Sequence[Draft], options: TableOptions) -> Iterator[Request]:
    """The requests as `plan` shows them, the first page of each."""
    expand = expand_params(options)
    for draft in drafts:
        query = {**draft.query, **expand}
        match options:
            case NoRows() | Kept():
                return
            case Retrieved():
                head = options.retrieve.rpartition("/")[0]
                yield from (Request("GET", f"{head}/{each}", query) for each in options.ids)
            case Listed():
                yield Request("GET", table.path, query | _paging(table, draft, options.limit))
            case ListedForValues():
                params = query | _paging(table, draft)
                yield from (_placed(table, params, {options.param.param: each}, None) for each in options.values)
            case ListedForParents() | Embedded():
                values = {each.param: f"{{{each.param}}}" for each in table.parents}
                yield _placed(table, query | _paging(table, draft), values, options.parent.table)
            case _:
                assert_never(options)


def _paging(table: Table, draft: Draft, limit: int | None = None) -> dict[str, str]:
    """The window of a list request, and the size of its pages."""
    size = {} if table.page is PageStyle.NONE else {"limit": str(min(PAGE_SIZE, limit or PAGE_SIZE))}
    return {**window_params(draft.window, "created"), **size}


def _placed(table: Table, params: Mapping[str, str], values: Mapping[str, str], per: str | None) -> Request:
    """A request with the parents' values where they belong: in the path or in the query."""
    path = table.path
    query = dict(params)
    for each in table.parents:
        if each.in_path:
            path = path.replace(f"{{{each.param}}}", values[each.param])
        else:
            query[each.param] = values[each.param]
    return Request("GET", path, query, per)
