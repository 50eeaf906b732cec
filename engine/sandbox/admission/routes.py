"""Routing of requests to endpoints of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from engine.connectors.stripe.catalogue import (
    Catalogue,
    FieldType,
    Filter,
    FilterKind,
    PageStyle,
    Parent,
    Retrieve,
    Search,
    SyncClass,
    Table,
    Write,
)

Endpoint: TypeAlias = Table | Retrieve | Search | Write


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """An endpoint and the values of the placeholders in its path, in their order."""

    endpoint: Endpoint
    values: Mapping[str, str]

    @property
    def last(self) -> str:
        """The last placeholder's value: the id of the addressed object."""
        return list(self.values.values())[-1]


class Routes:
    """All endpoints of the catalogue, found by method and path."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._tree: dict[str, Any] = {}
        self.permissions = {
            resource: table.permission
            for table in reversed(list(catalogue.tables.values()))
            for resource in table.resources
        }
        for table in catalogue.tables.values():
            self._add("GET", table.path, table)
        for retrieve in catalogue.retrieves:
            self._add("GET", retrieve.path, retrieve)
        for search in catalogue.searches:
            self._add("GET", search.path, search)
        for write in catalogue.writes:
            self._add(write.method.upper(), write.path, write)
        for path in catalogue.unreadable:
            self._add("GET", path, _unlisted(path))

    def _add(self, method: str, path: str, endpoint: Endpoint) -> None:
        node = self._tree
        for part in path.strip("/").split("/"):
            node = node.setdefault("{}" if part.startswith("{") else part, {})
        node[f" {method}"] = endpoint

    def find(self, method: str, path: str) -> RouteMatch | None:
        """The endpoint, or None. Words in a path take precedence over placeholders."""
        values: list[str] = []
        endpoint = _walk(self._tree, path.strip("/").split("/"), f" {method}", values)
        if endpoint is None:
            return None
        names = [part.strip("{}") for part in endpoint.path.split("/") if part.startswith("{")]
        return RouteMatch(endpoint, dict(zip(names, values, strict=True)))

    def permission(self, endpoint: Endpoint) -> str:
        """The permission that a restricted key needs."""
        match endpoint:
            case Table():
                return endpoint.permission
            case Search():
                return self._read(endpoint.resource)
            case Retrieve():
                return self._read(endpoint.returns[0] if endpoint.returns else "file")
            case Write():
                return self._read(endpoint.resource).removesuffix("_read") + "_write"

    def _read(self, resource: str) -> str:
        known: str | None = self.permissions.get(resource)
        return known or f"rak_{resource.replace('.', '_')}_read"


def _walk(node: dict[str, Any], parts: list[str], leaf: str, values: list[str]) -> Endpoint | None:
    if not parts:
        endpoint: Endpoint | None = node.get(leaf)
        return endpoint
    head, rest = parts[0], parts[1:]
    if head in node:
        mark = len(values)
        found = _walk(node[head], rest, leaf, values)
        if found is not None:
            return found
        del values[mark:]
    if "{}" in node and head:
        values.append(head)
        return _walk(node["{}"], rest, leaf, values)
    return None


def _unlisted(path: str) -> Table:
    """A list that is not a table of the catalogue; it is always empty."""
    parents = tuple(
        Parent(part.strip("{}"), "", "id", part.strip("{}")) for part in path.split("/") if part.startswith("{")
    )
    accepts = ("scope[type]", "scope[user]", "customer", "end_time", "start_time", "value_grouping_window", "invoice")
    filters = tuple(Filter(name, FilterKind.VALUE, FieldType.TEXT) for name in accepts)
    return Table(path, path, ("item",), ("id",), SyncClass.PARENTS, "rak_item_read", PageStyle.CURSOR, parents, filters)
