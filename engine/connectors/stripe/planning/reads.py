"""Needs of SQL boxes → the fewest Stripe requests that give them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from engine.connector import Need, Op, Predicate, Read, Request

from ..catalogue import PageStyle, Table, load_catalogue, table_fields
from .pushdown import MAX_REQUESTS, Draft, as_json, draft_requests, fewest, ids_of_all, with_defaults
from .read_options import ParentOptions, ReadOptions, Strategy, Variant
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

    Every row that a need speaks of is answered by its table's read. KeyError for an unknown table.
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
    """The reads of all rows of these tables, without fields that only come when asked for."""
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
    """The few ids that may be asked for one by one instead of listing."""
    return ids_of_all(where, "id") if table.retrieve is not None else None


def _parent_values(table: Table, where: Sequence[Sequence[Predicate]]) -> tuple[str, ...] | None:
    """The few parents that may be asked for, without reading the parents."""
    if len(table.parents) != 1 or table.parents[0].column != "id":
        return None
    return ids_of_all(where, table.parents[0].field)


def _read(merged: _Merged) -> Read:
    table = merged.table
    ids = _ids(table, merged.where)
    values = _parent_values(table, merged.where)
    if not merged.where or ids == () or values == ():
        return _finish(merged, "none", (), None)
    if ids is not None:
        return _finish(merged, "retrieve", (Draft(where=(_one_of("id", ids),)),), None, ids=ids)
    drafts = tuple(draft for conjunction in merged.where for draft in draft_requests(table, conjunction))
    if not drafts:
        return _finish(merged, "none", (), None)
    if not table.parents:
        limit = merged.limit if _limit_holds(merged, drafts) else None
        kept = tuple(dict.fromkeys(drafts)) if limit is not None else fewest(drafts)
        return _finish(merged, "list", with_defaults(table, kept), limit)
    if values is not None:
        held = _one_of(table.parents[0].field, values)
        kept = tuple(replace(draft, where=tuple(sorted([*draft.where, held]))) for draft in fewest(drafts))
        return _finish(merged, "parents", with_defaults(table, kept), None, values=values)
    if table.embedded is not None:
        return _finish(merged, "embedded", with_defaults(table, (Draft(),)), None)
    return _finish(merged, "parents", with_defaults(table, fewest(drafts)), None)


def _one_of(column: str, values: tuple[str, ...]) -> Predicate:
    return Predicate(column, Op.IN if len(values) > 1 else Op.EQ, values)


def _limit_holds(merged: _Merged, drafts: Sequence[Draft]) -> bool:
    """Whether the first rows of each request are enough.

    Only when the requests answer nothing but what is asked for, and, where the newest rows count, in that order.
    """
    exact = all(draft.exact for draft in drafts)
    return exact and len(drafts) <= MAX_REQUESTS and (merged.table.newest_first or not merged.newest_first)


def _finish(
    merged: _Merged,
    strategy: Strategy,
    drafts: Sequence[Draft],
    limit: int | None,
    *,
    ids: tuple[str, ...] = (),
    values: tuple[str, ...] | None = None,
) -> Read:
    table = merged.table
    expand = _expand(merged, strategy)
    parent = _parent_options(table, strategy, values)
    options: ReadOptions = {
        "table": table.name,
        "path": table.path,
        "page": table.page.value,
        "strategy": strategy,
        "variants": [_variant(draft, expand) for draft in drafts],
        "created": table.created if _always_created(table) else None,
        "newest_first": table.newest_first,
        "limit": limit,
        "retrieve": table.retrieve,
        "ids": list(ids),
        "parent": parent,
        "expanded": list(merged.expand),
        "continues": None,
        "partial": False,
        "follow": None,
        "changes": None,
        "carries": [],
        "gathers": None,
        "gathered": [0, 0],
    }
    return Read(
        table=table.name,
        columns=merged.columns,
        where=tuple((*draft.window.predicates(table.created or "created"), *draft.where) for draft in drafts),
        requests=tuple(_requests(table, drafts, expand, options)),
        why=reason_of(table, merged.where, options, merged.children),
        limit=limit,
        options=cast("Mapping[str, object]", options),
    )


def _always_created(table: Table) -> bool:
    """Whether every row has its time of creation, so that windows together hold them all."""
    return any(field.name == table.created and not field.nullable for field in table_fields(table.name))


def _expand(merged: _Merged, strategy: Strategy) -> dict[str, str]:
    """Parameters that make the answer carry the includable fields that are needed."""
    prefix = "" if strategy == "retrieve" else "data."
    return {f"expand[{place}]": f"{prefix}{name}" for place, name in enumerate(merged.expand)}


def _variant(draft: Draft, expand: Mapping[str, str]) -> Variant:
    return {
        "params": {**draft.query, **expand},
        "gte": draft.window.gte,
        "lt": draft.window.lt,
        "where": as_json(draft.where),
    }


def _parent_options(table: Table, strategy: Strategy, values: tuple[str, ...] | None) -> ParentOptions | None:
    if strategy not in ("parents", "embedded"):
        return None
    return {
        "table": table.parents[0].table,
        "params": [
            {"param": each.param, "column": each.column, "field": each.field, "in_path": each.in_path}
            for each in table.parents
        ],
        "values": list(values) if values is not None else None,
        "embedded": table.embedded.field if table.embedded is not None and strategy == "embedded" else None,
    }


def _requests(
    table: Table, drafts: Sequence[Draft], expand: Mapping[str, str], options: ReadOptions
) -> Iterator[Request]:
    """The requests as `plan` shows them, the first page of each."""
    paging = {} if table.page is PageStyle.NONE else {"limit": str(min(PAGE_SIZE, options["limit"] or PAGE_SIZE))}
    parent = options["parent"]
    for draft in drafts:
        params = {**draft.query, **expand}
        if options["strategy"] == "retrieve":
            head = (table.retrieve or "").rpartition("/")[0]
            yield from (Request("GET", f"{head}/{each}", params) for each in options["ids"])
            continue
        params |= {**window_params(draft.window, "created"), **paging}
        if parent is None:
            yield Request("GET", table.path, params)
        elif parent["values"] is None:
            yield _placed(table, params, {each.param: f"{{{each.param}}}" for each in table.parents}, parent["table"])
        else:
            yield from (_placed(table, params, {table.parents[0].param: each}, None) for each in parent["values"])


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
