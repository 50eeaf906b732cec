"""The writes of one request: creations, changes, deletions and their events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from ..errors import missing
from ..state import Obj, Row, Store
from .api_versions import render_at
from .identifiers import identify
from .render import LINKED
from .world_view import WorldView


@dataclass(slots=True)
class Mutation:
    """The writes to one store at one timestamp.

    Events before the timestamp `events_from` are not written; a `silent` mutation writes none. Events contain `request`
    and `idempotency_key`.
    """

    world: WorldView
    store: Store
    now: int
    random: Random
    request: str | None = None
    idempotency_key: str | None = None
    events_from: int = 0
    silent: bool = False

    def identify(self, resource: str) -> str:
        """A new id."""
        return identify(resource, self.world.catalogue.resources[resource].id_prefix, self.random)

    def add(
        self,
        resource: str,
        fields: Obj,
        *,
        event: str | None = None,
        parent: str | None = None,
        extra: Obj | None = None,
    ) -> Row:
        """Add a blank object with these fields; `id`, `created` and `livemode` are set unless given."""
        obj = self.world.shapes.blank(resource)
        if "livemode" in obj:
            obj["livemode"] = self.store.livemode
        if "created" in obj:
            obj["created"] = self.now
        obj.update(fields)
        if not obj["id"]:
            obj["id"] = self.identify(resource)
        created = obj.get("created") or obj.get("date") or self.now
        row = self.store.insert(resource, obj, created=created, parent=parent, extra=extra)
        row.touched = self.now
        self._note(resource, row)
        if event is not None:
            self.emit(event, resource, row)
        return row

    def change(self, resource: str, row: Row, fields: Obj, *, event: str | None = None) -> Row:
        """Change fields of an object. No-op if nothing differs."""
        if all(key in row.obj and row.obj[key] == value for key, value in fields.items()):
            return row
        record = event is not None and self.now >= self.events_from
        before = self.world.renderer.show(self.store, resource, row) if record else {}
        row.touched = self.now
        if self.world.options.search_lag:
            row.before = row.obj
        self.store.table(resource).replace(row, {**row.obj, **fields})
        row.body = None
        if resource in LINKED:
            self.store.epoch += 1
        self._note(resource, row)
        if event is not None and record:
            self.emit(event, resource, row, before)
        return row

    def remove(self, resource: str, row: Row, *, event: str | None = None) -> dict[str, Any]:
        """Delete an object. Returns its deleted stub."""
        if event is not None:
            self.emit(event, resource, row)
        self.store.table(resource).remove(row, self.now)
        if resource in LINKED:
            self.store.epoch += 1
        self._note(resource, row)
        return self.world.renderer.deleted(row.obj["object"], row.id)

    def emit(self, kind: str, resource: str, row: Row, before: Obj | None = None) -> None:
        """Emit an event about an object, with `previous_attributes` if its earlier state is given."""
        shown = self.world.renderer.show(self.store, resource, row) if self.now >= self.events_from else {}
        self.emit_object(kind, shown, previous=difference(before, shown) if before else None)

    def emit_object(self, kind: str, shown: dict[str, Any], previous: Obj | None = None) -> None:
        """Emit an event that contains this rendered object."""
        if self.silent or self.now < self.events_from or kind not in self.world.catalogue.events:
            return
        options = self.world.options
        version = options.event_api_version
        if version is not None:
            shown = render_at(version, shown)
        data: dict[str, Any] = {"object": shown}
        if previous is not None:
            data["previous_attributes"] = previous
        self.add(
            "event",
            {
                "api_version": version or self.world.catalogue.api_version,
                "data": data,
                "pending_webhooks": 0,
                "request": {"id": self.request, "idempotency_key": self.idempotency_key},
                "type": kind,
            },
            extra={"visible_from": self.now + options.event_delay} if options.event_delay else None,
        )

    def get(self, resource: str, identifier: str, *, param: str = "id", in_path: bool = False) -> Row:
        """The row with this id. ApiError if there is none."""
        row = self.store.find(resource, identifier)
        if row is None:
            other = self.world.in_other_mode(self.store, resource, identifier)
            raise missing(label(resource), identifier, param=param, in_path=in_path, elsewhere=other)
        return row

    def _note(self, resource: str, row: Row) -> None:
        """Invalidate what others cache about an object."""
        if resource in ("subscription", "subscription_item"):
            self.store.next_due = 0
        if row.parent is None:
            return
        for owner in self.world.renderer.owners.get(resource, ()):
            found = self.store.find(owner, row.parent)
            if found is not None:
                found.body = None


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The value of `previous_attributes`: old values of changed fields, null for new fields."""
    changed: dict[str, Any] = {}
    for key in {**before, **after}:
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        changed[key] = difference(old, new) if isinstance(old, Mapping) and isinstance(new, Mapping) else old
    return changed


def label(resource: str) -> str:
    """The name of a kind in error messages."""
    return {"payment_method": "PaymentMethod", "invoiceitem": "invoice item"}.get(
        resource, resource.rsplit(".", 1)[-1].replace("_", " ") if "_" not in resource else resource
    )
