"""The graph: what flows into what. No state, no clock, no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

from engine.connector import Need, Parameter, Shown, Verb
from engine.diagnostics import Place
from engine.relation import Relation


class Action(StrEnum):
    """What an import does to its table."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    UPSERT = "upsert"
    REPLACE = "replace"


SCHEMA_NAMESPACE = "schema"
"""The name under which a box reaches the Schema's tables explicitly: `schema.customers`."""


CHANGED_NAMESPACE = "changed"
"""`changed.customers`: the rows of `customers` that have changed since the step has seen them."""

WEIR_NAMESPACE = "weir"
"""`weir.coverage`: what the connection's mirror tells about itself (`MIRROR_TABLES`)."""

QUALIFIED = frozenset({CHANGED_NAMESPACE, WEIR_NAMESPACE})
"""Namespaces whose tables are reached by their full names only."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean in a box: namespaces in the order in which a bare name is looked up.

    A box of an import sees its connection (`customers`, `shop.customers`) and then the Schema
    (`schema.customers`); a transform, stop_if or respond sees the Schema only. With a connection come the two
    namespaces that are `QUALIFIED`: they belong to the first namespace that is neither these nor the Schema.
    """

    namespaces: tuple[tuple[str, Mapping[str, Relation]], ...]


@dataclass(frozen=True, slots=True)
class TableRead:
    """A table that a box reads, in which namespace, and what of it."""

    namespace: str
    need: Need


@dataclass(frozen=True, slots=True)
class Bound:
    """A box that binds: the columns it yields and the tables it reads (one entry a table, scans united).

    `changed` are the tables of which it wants only the rows that have changed, at one place at least.
    """

    relation: Relation
    reads: tuple[TableRead, ...]
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BindFailure:
    """Why a box does not bind. `span` is in code points of the SQL that was given; `candidates` are near names."""

    reason: Literal["syntax", "table", "column", "function", "type", "statements", "not_select", "other"]
    message: str
    span: tuple[int, int] | None
    name: str | None = None
    candidates: tuple[str, ...] = ()


class Binder(Protocol):
    """Binds SQL on empty tables, offline. Implemented by `duck.binder`; proven by `testing.binder_suite`."""

    def bind(self, sql: str, scope: Scope) -> Bound | BindFailure:
        """What the box yields and reads, or why it does not bind. Never runs it."""
        ...

    def bind_expression(self, expression: str, columns: Relation) -> Relation | BindFailure:
        """The one column (`value`) that a mapping's `expr` yields over a row with these columns."""
        ...


@dataclass(frozen=True, slots=True)
class Box:
    """A SQL box, rendered and bound. `place` is the text its author wrote (a YAML value or a .sql file)."""

    sql: str
    place: Place
    scope: tuple[str, ...]
    """Namespaces in order of look-up: connection names, and `schema`."""
    bound: Bound


@dataclass(frozen=True, slots=True)
class MapColumn:
    """How one Schema column gets its value: from a column of the box or by an expression over the box's row.

    `default` (a SQL literal) replaces NULL. With `skip_if_empty`, NULL and '' leave what the table has.
    """

    target: str
    source: str | None = None
    expr: str | None = None
    default: str | None = None
    skip_if_empty: bool = False


@dataclass(frozen=True, slots=True)
class Extract:
    """Bring one table of a connection into staging: `needs` says for which step what is needed of it."""

    id: str
    connection: str
    table: str
    needs: tuple[tuple[str, Need], ...]


@dataclass(frozen=True, slots=True)
class Import:
    """Write a box's rows into a table of the Schema. `transform` boxes read the Schema only (`connection` is None).

    `fingerprint` is there when the box reads changed rows: (part, hash) for each part of the definitions that decides
    what a row that has not changed becomes. When one is another, all rows count as changed.
    """

    id: str
    interface: str
    name: str
    connection: str | None
    box: Box
    into: str
    relation: Relation
    key: tuple[str, ...]
    action: Action
    match: tuple[tuple[str, str], ...]
    mapping: tuple[MapColumn, ...]
    on_error: Literal["stop", "continue"]
    on_empty: Literal["continue", "stop"]
    snapshot: bool
    origin: Place
    after: tuple[str, ...]
    fingerprint: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class StopIf:
    """End the interface here, successfully, when the box's single value is true."""

    id: str
    interface: str
    name: str
    box: Box
    origin: Place
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Respond:
    """What an API caller of the interface gets back."""

    id: str
    interface: str
    name: str
    box: Box
    origin: Place
    after: tuple[str, ...]


class ExportAction(StrEnum):
    """What an export does to its entity."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    UPSERT = "upsert"


@dataclass(frozen=True, slots=True)
class WriteColumn:
    """How one parameter of a write gets its value: from a column of the box, by an expression over the box's row, or as
    the id of the object that the step `ref` has written for the value.

    `default` (a SQL literal) replaces NULL. With `skip_if_empty`, NULL and '' leave what the object has. `shown` says
    where objects show the value; where they do not, it is sent when an object is made and never compared.
    `currency` is the path of the parameter that says which money the value is, where that matters. `beside` are the
    plain values of the object that it is a part of: a change sends them too, for the object may be put in place whole.
    An object that is made gets it at once only if it is taken `on_create`; otherwise with the next run.
    """

    path: str
    parameter: Parameter
    source: str | None = None
    expr: str | None = None
    default: str | None = None
    skip_if_empty: bool = False
    ref: str | None = None
    shown: Shown | None = None
    immutable: bool = False
    currency: str | None = None
    beside: tuple[str, ...] = ()
    on_create: bool = True


@dataclass(frozen=True, slots=True)
class MatchColumn:
    """What tells which object a row means: objects show it at `shown`, rows have it in the column `source`."""

    path: str
    source: str
    shown: Shown


@dataclass(frozen=True, slots=True)
class Caps:
    """Bounds of what a step may write; None: any number. `max_error_share` counts from the twentieth write on."""

    max_writes: int | None
    max_deletes: int | None
    max_error_share: float


@dataclass(frozen=True, slots=True)
class Export:
    """Bring the objects of an entity to what a box's rows say. `retire` is the verb for objects whose row is gone.

    `verbs` are all that it may come to use, by what they are for: create, update, retire.
    """

    id: str
    interface: str
    name: str
    connection: str
    box: Box
    entity: str
    action: ExportAction
    match: tuple[MatchColumn, ...]
    columns: tuple[WriteColumn, ...]
    on_missing: str
    verbs: tuple[tuple[str, Verb], ...]
    facts: EntityFacts
    caps: Caps
    on_error: Literal["stop", "continue"]
    on_empty: Literal["continue", "stop"]
    origin: Place
    after: tuple[str, ...]

    def verb(self, use: str) -> Verb | None:
        """The verb for this use, if the step may come to use one."""
        return next((verb for name, verb in self.verbs if name == use), None)


@dataclass(frozen=True, slots=True)
class EntityFacts:
    """What comparing needs to know of an entity; see `connector.Entity`. `archives` names the column and the value by
    which archived objects are told."""

    own_id: bool = False
    handover: tuple[str, str] | None = None
    archives: tuple[str, str] | None = None
    lanes: tuple[str, ...] = ()
    minor_units: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """Call a function for each row of a box. `key` are the columns of the box that tell one call from another (none:
    everything that it is made with). `answer` writes what the function answers into the Schema."""

    id: str
    interface: str
    name: str
    connection: str
    box: Box
    function: str
    verb: Verb
    columns: tuple[WriteColumn, ...]
    key: tuple[str, ...]
    returns: str | None
    answer: Import | None
    minor_units: tuple[tuple[str, int], ...]
    caps: Caps
    on_error: Literal["stop", "continue"]
    on_empty: Literal["continue", "stop"]
    origin: Place
    after: tuple[str, ...]


Step = Extract | Import | StopIf | Respond | Export | Call


@dataclass(frozen=True, slots=True)
class Graph:
    """All steps of a project in an order in which they can run. `after` of a step names the steps it waits for.

    `interfaces` are the names in that order. `unset` are (interface, parameter) without a value: boxes were bound with
    NULL in their place, and such an interface cannot run.
    """

    steps: tuple[Step, ...]
    interfaces: tuple[str, ...] = ()
    unset: tuple[tuple[str, str], ...] = ()
