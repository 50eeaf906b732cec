"""The graph: what flows into what. No state, no clock, no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

from engine.connector import Need
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

    A box of an import sees its connection (`customers`, `stripe_main.customers`) and then the Schema
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


Step = Extract | Import | StopIf | Respond


@dataclass(frozen=True, slots=True)
class Graph:
    """All steps of a project in an order in which they can run. `after` of a step names the steps it waits for.

    `interfaces` are the names in that order. `unset` are (interface, parameter) without a value: boxes were bound with
    NULL in their place, and such an interface cannot run. `unsupported` are (interface, reason): no run executes them.
    """

    steps: tuple[Step, ...]
    interfaces: tuple[str, ...] = ()
    unset: tuple[tuple[str, str], ...] = ()
    unsupported: tuple[tuple[str, str], ...] = ()
