"""`expand[]`: ids replaced by their objects, and fields that are present only if expanded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from engine.connectors.stripe.catalogue import Catalogue, FieldType, Resource

from ..errors import invalid
from ..params import RawParams, as_list
from ..state import Store
from .render import Renderer

DEPTH: Final = 4

Tree: TypeAlias = dict[str, "Tree"]

TARGETS: Final = {"default_payment_method": "payment_method", "on_behalf_of": "account", "liability.account": "account"}


class Expander:
    """Reads and applies `expand[]` by the expandable fields of the catalogue."""

    def __init__(self, catalogue: Catalogue, renderer: Renderer) -> None:
        self._catalogue = catalogue
        self._renderer = renderer

    def read(self, given: RawParams, resources: tuple[str, ...], *, in_list: bool) -> Tree:
        """The paths to expand as a tree. ApiError for a path that is not expandable."""
        if "expand" not in given:
            return {}
        paths = as_list(given["expand"]) or [given["expand"]]
        tree: Tree = {}
        for path in paths:
            if not isinstance(path, str) or not path:
                raise invalid("Invalid array", "expand")
            parts = path.split(".")
            if in_list:
                if parts[0] != "data":
                    raise invalid(f"This property cannot be expanded ({path}). You may want to try expanding "
                                  f"'data.{path}' instead.", "expand")  # fmt: skip
                parts = parts[1:]
            if len(parts) - parts.count("data") > DEPTH:
                raise invalid(f"You cannot expand more than {DEPTH} levels of a property: {path}", "expand")
            if parts and not any(self._can(resource, parts) for resource in resources):
                raise invalid(f"This property cannot be expanded ({path}).", "expand")
            node = tree
            for part in parts:
                node = node.setdefault(part, {})
        return tree

    def _can(self, resource: str, parts: list[str]) -> bool:
        """Whether every step of this path is expandable."""
        known = self._catalogue.resources.get(resource)
        if known is None or not parts:
            return known is None
        return any(self._leads(known, ".".join(parts[:length]), parts[length:]) for length in range(1, len(parts) + 1))

    def _leads(self, known: Resource, name: str, rest: list[str]) -> bool:
        """Whether the field is expandable or contains expandable fields, and the rest of the path continues there."""
        field = known.find(name)
        targets = field.targets if field is not None and field.targets else self._guess(name)
        includable = field is not None and field.includable
        if name in known.sublists:
            within = rest[:1] == ["data"] and (len(rest) == 1 or self._any(known.sublists[name], rest[1:]))
            return within or (includable and not rest)
        if includable or name in {path.replace("[]", "") for path in known.expandable}:
            return not rest or self._any(targets, rest)
        embeds = field is not None and field.type in (FieldType.RESOURCE, FieldType.LIST)
        return embeds and bool(rest) and self._any(targets, rest)

    def _any(self, targets: tuple[str, ...], rest: list[str]) -> bool:
        return any(self._can(target, rest) for target in targets)

    def _guess(self, name: str) -> tuple[str, ...]:
        last = name.rsplit(".", 1)[-1]
        target = TARGETS.get(last, last if last in self._catalogue.resources else last.removesuffix("s"))
        return (target,)

    def apply(self, store: Store, shown: Mapping[str, Any], tree: Tree) -> dict[str, Any]:
        """A copy of a rendered object with these paths expanded."""
        expanded = dict(shown)
        for name, below in tree.items():
            if name not in expanded:
                self._include(store, expanded, name)
            if name in expanded:
                expanded[name] = self._expand(store, expanded[name], below)
        return expanded

    def _expand(self, store: Store, value: Any, below: Tree) -> Any:
        if isinstance(value, list):
            return [self._expand(store, each, below) for each in value]
        if isinstance(value, str):
            found = self._find(store, value)
            return value if found is None else self.apply(store, found, below)
        return self.apply(store, value, below) if isinstance(value, Mapping) else value

    def _find(self, store: Store, identifier: str) -> dict[str, Any] | None:
        for resource, table in store.tables():
            if resource == "plan":
                continue
            row = table.rows.get(identifier)
            if row is not None:
                return self._renderer.show(store, resource, row)
            if identifier in table.gone:
                return self._renderer.deleted(self._catalogue.resources[resource].object, identifier)
        return None

    def _include(self, store: Store, shown: dict[str, Any], name: str) -> None:
        """Add a field that is present only if expanded."""
        resource = next(
            (key for key, each in self._catalogue.resources.items() if each.object == shown.get("object")), ""
        )
        row = store.find(resource, shown.get("id", ""))
        field = self._catalogue.resources[resource].find(name) if resource else None
        if row is None or field is None or not field.includable:
            return
        embedding = self._renderer.embedding(resource, name)
        if embedding is not None:
            shown[name] = self._renderer.embed(store, embedding, row)
        elif field.type is FieldType.SUBLIST:
            shown[name] = {"object": "list", "data": [], "has_more": False, "url": f"/v1/{name}"}
        else:
            shown[name] = (row.extra or {}).get(name)
