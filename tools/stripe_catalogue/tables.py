"""List requests of the SDK → `Table`s."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.connectors.stripe.catalogue.model import (
    Embedded,
    FieldType,
    Filter,
    FilterKind,
    PageStyle,
    Parent,
    Resource,
    SyncClass,
    Table,
)
from tools.stripe_catalogue import effects, facts
from tools.stripe_catalogue.filters import with_columns
from tools.stripe_catalogue.operations import SdkRequest
from tools.stripe_catalogue.parameters import read_filters
from tools.stripe_catalogue.shapes import SdkShapes


@dataclass(frozen=True, slots=True)
class Lists:
    """The input of tables. `events` maps a resource to its event types."""

    shapes: SdkShapes
    resources: Mapping[str, Resource]
    events: Mapping[str, tuple[str, ...]]
    lists: Mapping[str, SdkRequest]
    retrieves: Mapping[str, SdkRequest]


def gather_lists(
    shapes: SdkShapes,
    resources: Mapping[str, Resource],
    events: Mapping[str, tuple[str, ...]],
    operations: Iterable[SdkRequest],
) -> Lists:
    """Select the list and retrieve requests of `operations`."""
    lists: dict[str, SdkRequest] = {}
    retrieves: dict[str, SdkRequest] = {}
    for each in operations:
        if is_list(each):
            lists[each.path] = each
        elif each.method == "get":
            retrieves[each.path] = each
    return Lists(shapes, resources, events, lists, retrieves)


def is_list(operation: SdkRequest) -> bool:
    """Whether the request returns a page of objects."""
    return operation.method == "get" and operation.returns is not None and operation.returns.kind == "list_object"


def table_name(path: str) -> str:
    """The table's name: the words of the path, with parents in the singular and a prefix for v2."""
    if path in facts.TABLE_NAMES:
        return facts.TABLE_NAMES[path]
    version, *parts = path.strip("/").split("/")
    words = []
    for part, following in zip(parts, (*parts[1:], ""), strict=True):
        if not part.startswith("{"):
            words.append(part.removesuffix("s") if following.startswith("{") else part)
    return "_".join(words if version == "v1" else [version, *words])


def read_tables(lists: Lists) -> dict[str, Table]:
    """Every readable list as a table, ordered by name."""
    tables = (_table(lists, operation) for path, operation in lists.lists.items() if path not in facts.UNREADABLE)
    return {table.name: table for table in sorted(tables, key=lambda table: table.name)}


def _table(lists: Lists, operation: SdkRequest) -> Table:
    path = operation.path
    item = operation.returns.item if operation.returns is not None else None
    names = lists.shapes.resources(item)
    kinds = [lists.resources[name] for name in names]
    filters, paging = read_filters(lists.shapes, operation.params)
    parents = _parents(lists, operation, filters)
    created = _created(path, filters, kinds)
    page = (
        PageStyle.V2 if path.startswith("/v2/") else PageStyle.CURSOR if "starting_after" in paging else PageStyle.NONE
    )
    events = tuple(sorted({event for name in names for event in lists.events.get(name, ())}))
    return Table(
        name=table_name(path),
        path=path,
        resources=names,
        key=(*(parent.field for parent in parents if parent.in_path), "id"),
        sync=_sync(path, parents, events, created is not None),
        permission=effects.permission_of(names[0]),
        page=page,
        parents=parents,
        filters=with_columns(path, filters, kinds, parents),
        created=created,
        newest_first=created is not None and page is PageStyle.CURSOR,
        ending_before="ending_before" in paging,
        defaults=facts.DEFAULTS.get(path, ()),
        fixed=facts.FIXED.get(path, {}),
        embedded=_embedded(lists, path, names, parents),
        retrieve=_retrieve(lists, path, names, parents),
        hidden=facts.HIDDEN.get(path),
        events=events,
    )


def _created(path: str, filters: tuple[Filter, ...], kinds: list[Resource]) -> str | None:
    """The column of the list's `created` filter; None for v2 lists, which compare text and are read whole."""
    ranged = any(
        each.param == "created" and each.kind is FilterKind.RANGE and each.type is FieldType.INTEGER for each in filters
    )
    column = facts.CREATED_COLUMNS.get(path, "created")
    return column if ranged and all(kind.find(column) is not None for kind in kinds) else None


def _parents(lists: Lists, operation: SdkRequest, filters: tuple[Filter, ...]) -> tuple[Parent, ...]:
    path = operation.path
    found: list[Parent] = []
    for param in operation.path_params:
        owner = path.split(f"/{{{param}}}")[0]
        if owner not in lists.lists:
            raise LookupError(f"no list has the values of {{{param}}} in {path}: add it to facts.UNREADABLE")
        found.append(Parent(param, table_name(owner), "id", _parent_field(path, owner)))
    for each in filters:
        if each.required and each.param not in facts.FIXED.get(path, {}):
            if (path, each.param) not in facts.QUERY_PARENTS:
                raise LookupError(f"{path} needs `{each.param}`: add it to facts.QUERY_PARENTS or facts.UNREADABLE")
            owner, column = facts.QUERY_PARENTS[path, each.param]
            found.append(Parent(each.param, table_name(owner), column, each.param, in_path=False))
    if len({parent.table for parent in found}) > 1:
        raise LookupError(f"{path} has parents in several tables, which extraction does not support")
    return tuple(found)


def _parent_field(path: str, owner: str) -> str:
    """The column of the parent's id: `invoice`, `checkout_session`, …"""
    name = table_name(owner).removesuffix("s")
    return facts.PARENT_FIELDS.get(path, name.split("_")[-1] if owner.startswith("/v2/") else name)


def _sync(path: str, parents: tuple[Parent, ...], events: tuple[str, ...], created: bool) -> SyncClass:
    if parents:
        return SyncClass.PARENTS
    if events:
        return SyncClass.EVENTS if path in effects.FULLY_EVENTED else SyncClass.EVENTS_REREAD
    return SyncClass.CREATED_REREAD if created else SyncClass.SNAPSHOT


def _embedded(lists: Lists, path: str, names: tuple[str, ...], parents: tuple[Parent, ...]) -> Embedded | None:
    """The sublist of the parent with the same objects: the one named like the path's last word, or the only one."""
    if len(parents) != 1 or path in facts.NOT_EMBEDDED:
        return None
    owner = next(each for each in lists.lists.values() if table_name(each.path) == parents[0].table)
    item = owner.returns.item if owner.returns is not None else None
    fitting = [
        each
        for resource in lists.shapes.resources(item)
        for each in lists.resources[resource].fields
        if each.type is FieldType.SUBLIST and each.targets == names and (each.includable or not each.nullable)
    ]
    last = path.rsplit("/", 1)[1]
    named = [each for each in fitting if each.name == last]
    siblings = [other for other in lists.lists if other.rsplit("/", 1)[0] == path.rsplit("/", 1)[0]]
    chosen = named or (fitting if len(siblings) == 1 or parents[0].in_path is False else [])
    return Embedded(parents[0].table, chosen[0].name, expand=chosen[0].includable) if len(chosen) == 1 else None


def _retrieve(lists: Lists, path: str, names: tuple[str, ...], parents: tuple[Parent, ...]) -> str | None:
    """The path that retrieves one complete row of the list, with the parent's id if it has one."""
    given = {each.name for name in names for each in lists.resources[name].fields}
    if "{" in path or not given.issuperset(parent.field for parent in parents):
        return None
    for candidate, operation in sorted(lists.retrieves.items()):
        head, _, last = candidate.rpartition("/")
        if head == path and last.startswith("{") and lists.shapes.resources(operation.returns) == names:
            return candidate
    return None
