"""The tables whose objects can be created, updated or retired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from engine.connector import Entity, Function, Shown, Verb

from ..catalogue import FieldType, Table, WriteKind, load_catalogue, load_params, table_fields
from ..currencies import DECIMALS
from .functions import NamedWrite, find_function, named_writes, verb_of

_LANES: Final = ("customer", "subscription")
_ARCHIVED: Final = {"active": "false"}
_ARCHIVING: Final = ("archive", "deactivate")


@dataclass(frozen=True, slots=True)
class StripeTargets:
    """Implements `engine.connector.Targets`."""

    def entities(self) -> Sequence[str]:
        """The tables with a create, an update or a way to retire an object."""
        words = ("create", "update", "delete", "cancel", "void", "detach", *_ARCHIVING)
        names = {named.table for named in named_writes().values() if named.name.partition(".")[2] in words}
        return [name for name in sorted(names) if find_entity(name) is not None]

    def entity(self, name: str) -> Entity | None:
        """See `find_entity`."""
        return find_entity(name)

    def functions(self) -> Sequence[str]:
        """All writes that have a table."""
        return tuple(named_writes())

    def function(self, name: str) -> Function | None:
        """See `find_function`."""
        return find_function(name)


@cache
def find_entity(name: str) -> Entity | None:
    """The entity of this table, or None where there is no such table or nothing can be written.

    Writes that address an object by more than its own id are left to calls: a comparison has no other.
    """
    table = load_catalogue().tables.get(name)
    if table is None:
        return None
    create, update = _own(table, "create"), _own(table, "update")
    if create is not None and "id" in create.above:  # the parent's, where all else means the object's own
        create = None
    if update is not None and update.above:
        update = None
    retire = _retirements(table, update)
    if create is None and update is None and not retire:
        return None
    taken = {param.name for param in load_params().get(create.write.key, ())} if create is not None else set()
    columns = {field.name for field in table_fields(name)}
    return Entity(
        name=name,
        create=verb_of(create) if create is not None else None,
        update=verb_of(update) if update is not None else None,
        retire=retire,
        immutable=_immutable(create, update),
        own_id=create is not None and "id" in taken,
        handover=("transfer_lookup_key", "lookup_key") if "transfer_lookup_key" in taken else None,
        lanes=tuple(lane for lane in _LANES if lane in columns),
        shown={column: Shown(column) for column in sorted(columns)},
        minor_units=DECIMALS,
    )


def _own(table: Table, word: str) -> NamedWrite | None:
    named = named_writes().get(f"{table.name}.{word}")
    return named if named is not None and set(named.write.returns) & set(table.resources) else None


def _immutable(create: NamedWrite | None, update: NamedWrite | None) -> frozenset[str]:
    """What only the create takes; all that it takes where nothing can be updated."""
    if create is None:
        return frozenset()
    taken = {param.name for param in load_params().get(create.write.key, ())}
    kept = {param.name for param in load_params().get(update.write.key, ())} if update is not None else set()
    return frozenset({*taken, *create.above} - kept)


def _retirements(table: Table, update: NamedWrite | None) -> dict[str, Verb]:
    found: dict[str, Verb] = {}
    for word in ("delete", "cancel", "void", "detach"):
        named = named_writes().get(f"{table.name}.{word}")
        alone = named is not None and named.object is not None and not named.above
        if named is not None and alone and table.resource == named.write.resource:
            found[word] = verb_of(named)
    if update is not None and _can_be_inactive(table, update):
        found["archive"] = verb_of(update, _ARCHIVED)
        return found
    for word in _ARCHIVING:
        named = named_writes().get(f"{table.name}.{word}")
        alone = named is not None and named.object is not None and not named.above
        if named is not None and alone and named.write.kind is WriteKind.ACTION:
            found.setdefault("archive", verb_of(named))
    return found


def _can_be_inactive(table: Table, update: NamedWrite) -> bool:
    field = next((each for each in table_fields(table.name) if each.name == "active"), None)
    takes = any(param.name == "active" for param in load_params().get(update.write.key, ()))
    return takes and field is not None and field.type is FieldType.BOOLEAN
