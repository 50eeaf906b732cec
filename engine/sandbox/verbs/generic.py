"""Generic create, update and delete for every kind of object.

The other modules handle specific kinds, mostly by calling these functions first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from engine.connectors.stripe.catalogue import Field, FieldType, Write, WriteKind

from ..errors import ApiError, invalid, missing
from ..objects import Mutation, label
from ..params import merge_metadata
from ..state import Obj, Row

Result: TypeAlias = "tuple[str, Row] | dict[str, Any]"
"""The row to respond with and its kind, or the response itself."""


@dataclass(frozen=True, slots=True)
class WriteCall:
    """A requested write: the endpoint, the placeholders of its path, its checked parameters."""

    write: Write
    values: Mapping[str, str]
    params: dict[str, Any]

    @property
    def id(self) -> str:
        """The last placeholder in the path: the id of the addressed object."""
        return list(self.values.values())[-1]


WriteHandler: TypeAlias = Callable[[Mutation, WriteCall], Result]

ADDRESS: Final = ("city", "country", "line1", "line2", "postal_code", "state")
SHIPPING: Final = ("address", "carrier", "name", "phone", "tracking_number")

STATUS_VERBS: Final[Mapping[str, tuple[str, Any]]] = {
    "activate": ("status", "active"),
    "approve": ("open", False),
    "archive": ("status", "archived"),
    "cancel": ("status", "canceled"),
    "close": ("status", "closed"),
    "deactivate": ("status", "inactive"),
    "disconnect": ("status", "disconnected"),
    "expire": ("status", "expired"),
    "reactivate": ("status", "active"),
    "redact": ("status", "redacted"),
    "submit": ("status", "submitted"),
    "unarchive": ("status", "active"),
}
"""Verbs that only set a state, for kinds that have this state."""

EVENT_NAMES: Final[Mapping[str, str]] = {
    "bank_account": "account.external_account",
    "card": "account.external_account",
    "discount": "customer.discount",
    "dispute": "charge.dispute",
    "subscription": "customer.subscription",
    "tax_id": "customer.tax_id",
}


def event_name(mutation: Mutation, resource: str, what: str) -> str | None:
    """The event type of a change to this kind of object; None if Stripe has none."""
    base = EVENT_NAMES.get(resource, resource)
    for name in (base, base.replace(".", "_")):
        if f"{name}.{what}" in mutation.world.catalogue.events:
            return f"{name}.{what}"
    return None


def plain(
    mutation: Mutation, resource: str, params: Obj, old: Row | None = None, *, skip: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The fields set by parameters of the same name. ApiError for a reference to a missing object."""
    known = mutation.world.catalogue.resources[resource]
    fields: dict[str, Any] = {}
    for name, value in params.items():
        field = known.find(name)
        if field is None or name in skip or field.type is FieldType.SUBLIST:
            continue
        before = old.obj.get(name) if old is not None else None
        fields[name] = _set(mutation, field, value, before)
    return fields


def _set(mutation: Mutation, field: Field, value: Any, before: Any) -> Any:
    if field.name == "metadata":
        return merge_metadata(before or {}, value)
    if field.type is FieldType.REFERENCE and isinstance(value, str):
        need(mutation, field.targets, value, field.name)
    if field.name == "address" or field.name.endswith("_address"):
        return address(value)
    if field.name == "shipping":
        return None if value is None else shipping(value)
    if value is None and not field.nullable:
        return {FieldType.LIST: [], FieldType.MAP: {}, FieldType.OBJECT: {}}.get(field.type, "")
    if isinstance(value, Mapping) and isinstance(before, Mapping):
        return {**before, **value}
    return value


def need(mutation: Mutation, kinds: tuple[str, ...], identifier: str, param: str) -> Row | None:
    """The row of any of these kinds that a parameter references. ApiError if there is none."""
    known = [kind for kind in kinds if kind in mutation.world.catalogue.resources]
    for kind in known:
        row = mutation.store.find(kind, identifier)
        if row is not None:
            return row
    if known and not mutation.world.knows(identifier):
        other = mutation.world.in_other_mode(mutation.store, known[0], identifier)
        raise missing(label(known[0]), identifier, param=param, elsewhere=other)
    return None


def address(value: Obj | None) -> dict[str, Any] | None:
    """The address with every part; missing parts are None."""
    return None if value is None else {**dict.fromkeys(ADDRESS), **value}


def shipping(value: Obj) -> dict[str, Any]:
    """The shipping details with every part; missing parts are None."""
    return {**dict.fromkeys(SHIPPING), **value, "address": address(value.get("address"))}


def create(mutation: Mutation, call: WriteCall) -> Result:
    """Create an object from the parameters."""
    resource = call.write.returns[0]
    fields = plain(mutation, resource, call.params)
    identifier = call.params.get("id")
    if isinstance(identifier, str) and mutation.store.find(resource, identifier) is not None:
        raise invalid(f"{resource.title()} already exists.", "id", "resource_already_exists")
    owner = _owner(mutation, call)
    for name in call.values if owner is None else (owner[0], *call.values):
        if name != "id" and mutation.world.shapes.has(resource, name):
            fields[name] = owner[1].id if owner is not None else call.values[name]
    row = mutation.add(
        resource, fields, parent=owner[1].id if owner else None, event=event_name(mutation, resource, "created")
    )
    return resource, row


def _owner(mutation: Mutation, call: WriteCall) -> tuple[str, Row] | None:
    """The parent object in the path, with its kind; None without one. 404 if it does not exist."""
    if not call.values:
        return None
    above = call.write.path.partition("/{")[0]
    for table in mutation.world.catalogue.tables.values():
        if table.path == above:
            return table.resource, mutation.get(table.resource, call.id, in_path=True)
    raise unsupported(call)


def update(mutation: Mutation, call: WriteCall) -> Result:
    """Update an object."""
    resource, row = target(mutation, call)
    fields = plain(mutation, resource, call.params, row)
    mutation.change(resource, row, fields, event=event_name(mutation, resource, "updated"))
    return resource, row


def delete(mutation: Mutation, call: WriteCall) -> Result:
    """Delete an object."""
    resource, row = target(mutation, call)
    return mutation.remove(resource, row, event=event_name(mutation, resource, "deleted"))


def act(mutation: Mutation, call: WriteCall) -> Result:
    """Set the state that a verb stands for. ApiError if the sandbox does not support the verb."""
    verb = STATUS_VERBS.get(call.write.verb.removesuffix("_grant"))
    if verb is not None and call.values:
        resource, row = target(mutation, call)
        field = mutation.world.catalogue.resources[resource].find(verb[0])
        if field is not None and (not field.values or verb[1] in field.values):
            mutation.change(resource, row, {verb[0]: verb[1]}, event=event_name(mutation, resource, "updated"))
            return resource, row
    raise unsupported(call)


def unsupported(call: WriteCall) -> ApiError:
    """The error of a write that the sandbox does not support."""
    message = f"The sandbox does not support {call.write.method.upper()} {call.write.path}."
    return ApiError(400, message, code="sandbox_unsupported")


def target(mutation: Mutation, call: WriteCall) -> tuple[str, Row]:
    """The kind and row of the object in the path. 404 if it does not exist."""
    if not call.values or not call.write.returns:
        raise unsupported(call)
    kinds = (
        call.write.returns if call.write.returns[0] in mutation.world.catalogue.resources else (call.write.resource,)
    )
    for kind in kinds:
        row = mutation.store.find(kind, call.id)
        if row is not None and _belongs(call, row):
            return kind, row
    return kinds[0], mutation.get(kinds[0], call.id, in_path=True)


def _belongs(call: WriteCall, row: Row) -> bool:
    owners = [value for value in call.values.values() if value != row.id]
    return row.parent is None or not owners or row.parent in owners


GENERIC: Final[Mapping[WriteKind, WriteHandler]] = {
    WriteKind.CREATE: create,
    WriteKind.UPDATE: update,
    WriteKind.DELETE: delete,
    WriteKind.ACTION: act,
}


def clearable(write: Write, mutation: Mutation) -> frozenset[str]:
    """Parameters of an update whose nullable field `""` clears."""
    resource = mutation.world.catalogue.resources.get(write.returns[0]) if write.returns else None
    if write.kind is not WriteKind.UPDATE or resource is None:
        return frozenset()
    return frozenset(field.name for field in resource.fields if field.nullable)
