"""The graph of steps and their inputs. No state, no clock, no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

from engine.connector import Need, Parameter, Shown, Verb
from engine.diagnostics import Place
from engine.relation import Relation


class Action(StrEnum):
    """How an import writes its table."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    UPSERT = "upsert"
    REPLACE = "replace"


SCHEMA_NAMESPACE = "schema"
"""The name under which a box reaches the Schema's tables explicitly: `schema.customers`."""


CHANGED_NAMESPACE = "changed"
"""`changed.customers`: the rows of `customers` that changed since the step last read them."""

WEIR_NAMESPACE = "weir"
"""`weir.coverage`: the state of the connection's mirror (`MIRROR_TABLES`)."""

QUALIFIED = frozenset({CHANGED_NAMESPACE, WEIR_NAMESPACE})
"""Namespaces whose tables are reached by their full names only."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The tables that a box can name: namespaces in the order in which an unqualified name is looked up.

    A box of an import sees its connection (`customers`, `shop.customers`) and then the Schema
    (`schema.customers`); a transform, stop_if or respond sees the Schema only. A connection adds the two `QUALIFIED`
    namespaces: they belong to the first namespace that is neither of them nor the Schema.
    """

    namespaces: tuple[tuple[str, Mapping[str, Relation]], ...]


@dataclass(frozen=True, slots=True)
class TableRead:
    """A table that a box reads: its namespace, and the columns and rows it needs."""

    namespace: str
    need: Need


@dataclass(frozen=True, slots=True)
class Bound:
    """A box that binds: the columns it returns and the tables it reads (one entry per table, scans merged).

    `changed` are the tables of which at least one scan reads only changed rows.
    """

    relation: Relation
    reads: tuple[TableRead, ...]
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BindFailure:
    """Why a box does not bind. `span` is in code points of the SQL; `candidates` are similar names."""

    reason: Literal["syntax", "table", "column", "function", "type", "statements", "not_select", "other"]
    message: str
    span: tuple[int, int] | None
    name: str | None = None
    candidates: tuple[str, ...] = ()


class Binder(Protocol):
    """Binds SQL on empty tables, offline. Implemented by `duck.binding`; verified by `testing.binder_suite`."""

    def bind(self, sql: str, scope: Scope) -> Bound | BindFailure:
        """What the box returns and reads, or why it does not bind. Never runs it."""
        ...

    def bind_expression(self, expression: str, columns: Relation) -> Relation | BindFailure:
        """The single column (`value`) that a mapping's `expr` returns over a row with these columns."""
        ...


@dataclass(frozen=True, slots=True)
class Box:
    """A SQL box, rendered and bound. `place` is the author's text (a YAML value or a .sql file)."""

    sql: str
    place: Place
    scope: tuple[str, ...]
    """Namespaces in order of look-up: connection names, and `schema`."""
    bound: Bound


@dataclass(frozen=True, slots=True)
class MapColumn:
    """Where the value of a Schema column comes from: a column of the box, or an expression over its row.

    `default` (a SQL literal) replaces NULL. With `skip_if_empty`, NULL and '' keep the table's value.
    """

    target: str
    source: str | None = None
    expr: str | None = None
    default: str | None = None
    skip_if_empty: bool = False


@dataclass(frozen=True, slots=True)
class Extract:
    """Read one table of a connection into staging. `needs` are pairs of a step's id and what it needs of the table."""

    id: str
    connection: str
    table: str
    needs: tuple[tuple[str, Need], ...]


@dataclass(frozen=True, slots=True)
class Import:
    """Write a box's rows into a table of the Schema. `transform` boxes read the Schema only (`connection` is None).

    `fingerprint` is set if the box reads changed rows: (part, hash) for each part of the definitions that determines
    the result for an unchanged row. If one differs, all rows count as changed.
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
    """The rows that an API caller of the interface receives."""

    id: str
    interface: str
    name: str
    box: Box
    origin: Place
    after: tuple[str, ...]


class ExportAction(StrEnum):
    """How an export writes its entity."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    UPSERT = "upsert"


class Use(StrEnum):
    """The purpose of a write to a provider."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    RETIRE = "retire"
    CALL = "call"

    @property
    def sign(self) -> str:
        """The mark of such a write in a plan."""
        return {"create": "+", "update": "~", "replace": "±", "retire": "-", "call": "!"}[self.value]

    @property
    def label(self) -> str:
        """The word for a write that is done: `created`."""
        return f"{self.value}ed" if self is Use.CALL else f"{self.value}d"

    @property
    def makes_object(self) -> bool:
        """Whether the write creates an object."""
        return self in (Use.CREATE, Use.REPLACE)


@dataclass(frozen=True, slots=True)
class WriteColumn:
    """Where the value of a write's parameter comes from: a column of the box, an expression over its row, or the id of
    the object that the step `ref` wrote for the value.

    `default` (a SQL literal) replaces NULL. With `skip_if_empty`, NULL and '' keep the object's value. `shown` is where
    objects return the value; without it, the value is sent when an object is created and never compared. `currency` is
    the path of the parameter with the amount's currency, for amounts in major units. `beside` are the scalar parts of
    the object that contains the parameter: a change sends them as well, because the provider may replace the object as
    a whole. A new object gets the value immediately if the create accepts it (`on_create`), otherwise in the next run.
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
    """A value that pairs a row with its object: objects return it at `shown`, rows have it in the column `source`."""

    path: str
    source: str
    shown: Shown


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits of a step's writes; None: unlimited. `max_error_share` applies from the twentieth write."""

    max_writes: int | None
    max_deletes: int | None
    max_error_share: float


@dataclass(frozen=True, slots=True)
class Export:
    """Bring the objects of an entity to the state of a box's rows.

    `verbs` are all that it may use, each with its use: create, update, replace, or retire for objects whose row no
    longer exists.
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
    verbs: tuple[tuple[Use, Verb], ...]
    facts: EntityFacts
    caps: Caps
    on_error: Literal["stop", "continue"]
    on_empty: Literal["continue", "stop"]
    origin: Place
    after: tuple[str, ...]

    def verb(self, use: Use) -> Verb | None:
        """The verb for this use, if the step may use one."""
        return next((verb for name, verb in self.verbs if name == use), None)


@dataclass(frozen=True, slots=True)
class EntityFacts:
    """Facts about an entity that the comparison needs; see `connector.Entity`. `archives` is the column and the value
    that mark an archived object."""

    own_id: bool = False
    handover: tuple[str, str] | None = None
    archives: tuple[str, str] | None = None
    lanes: tuple[str, ...] = ()
    minor_units: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """Call a function for each row of a box. `key` are the columns of the box that identify a call (empty: all of its
    parameters). `answer` writes the function's results into the Schema."""

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
    """All steps of a project in an order in which they can run. A step's `after` are the steps it depends on.

    `interfaces` are the names in that order. `unset` are (interface, parameter) without a value: boxes are bound with
    NULL in their place, and such an interface cannot run.
    """

    steps: tuple[Step, ...]
    interfaces: tuple[str, ...] = ()
    unset: tuple[tuple[str, str], ...] = ()
