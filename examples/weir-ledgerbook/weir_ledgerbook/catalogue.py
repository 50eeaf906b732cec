"""What Ledgerbook has: three tables to read, and contacts to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from engine.connector import (
    SYSTEM_COLUMNS,
    Effect,
    Entity,
    Function,
    Op,
    Parameter,
    ParameterKind,
    Shown,
    SourceCatalogue,
    SourceTable,
    TimestampFormat,
    Verb,
)
from engine.relation import BOOLEAN, INTEGER, TEXT, TIMESTAMP, Column, Relation

API_VERSION: Final = "2026-01"
CONTACTS: Final = "contacts"

_ID: Final = Column("id", TEXT, True, "the object's id")
_CREATED: Final = Column("created", TIMESTAMP, True, "when it was created")


def _table(name: str, description: str, *columns: Column) -> SourceTable:
    return SourceTable(
        name=name,
        relation=Relation((_ID, *columns, _CREATED, *SYSTEM_COLUMNS)),
        key=("id",),
        description=description,
        filters={"created": frozenset({Op.GE, Op.GT})},
        created="created",
        timestamps=TimestampFormat.RFC_3339,
    )


_TABLES: Final = (
    _table(
        "accounts",
        "the accounts of the book",
        Column("name", TEXT, True, "its name"),
        Column("currency", TEXT, True, "the currency of its entries"),
        Column("closed", BOOLEAN, True, "whether it takes no more entries"),
    ),
    _table(
        CONTACTS,
        "the people and companies of the book",
        Column("name", TEXT, True, "the name"),
        Column("email", TEXT, False, "the e-mail address"),
    ),
    _table(
        "entries",
        "the entries of all accounts",
        Column("account", TEXT, True, "the account's id"),
        Column("contact", TEXT, False, "the contact's id"),
        Column("amount", INTEGER, True, "in the smallest unit of the account's currency"),
        Column("memo", TEXT, False, "a note"),
    ),
)

_NAME: Final = Parameter("name", ParameterKind.TEXT, required=True, longest=100)
_EMAIL: Final = Parameter("email", ParameterKind.TEXT, clears=True)
_ENTITY: Final = Entity(
    name=CONTACTS,
    create=Verb("contacts.create", "POST /v1/contacts", Effect.DATA, of_object=False, parameters=(_NAME, _EMAIL)),
    update=Verb("contacts.update", "POST /v1/contacts/{id}", Effect.DATA, of_object=True, parameters=(_NAME, _EMAIL)),
    retire={"delete": Verb("contacts.delete", "DELETE /v1/contacts/{id}", Effect.FINAL, of_object=True)},
    shown={name: Shown(name) for name in ("id", "name", "email")},
)


@dataclass(frozen=True, slots=True)
class LedgerbookTargets:
    """Implements `engine.connector.Targets`: contacts by exports, and no functions."""

    def entities(self) -> Sequence[str]:
        """Contacts."""
        return (CONTACTS,)

    def entity(self, name: str) -> Entity | None:
        """The entity with this name, or None."""
        return _ENTITY if name == CONTACTS else None

    def functions(self) -> Sequence[str]:
        """None."""
        return ()

    def function(self, name: str) -> Function | None:  # noqa: ARG002
        """None."""
        return None


CATALOGUE: Final = SourceCatalogue(
    API_VERSION, MappingProxyType({table.name: table for table in _TABLES}), targets=LedgerbookTargets()
)
