"""Remembers how boxes bind, so that only boxes whose SQL or whose tables have changed are bound again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.relation import Relation

from .types import Binder, BindFailure, Bound, Scope

_Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What a box was bound to: `tables` are those that it reads, by (namespace, name)."""

    bound: Bound
    tables: Mapping[tuple[str, str], Relation]


@dataclass(slots=True)
class BindMemory:
    """A `Binder` in front of another one. What does not bind is asked anew each time."""

    binder: Binder
    _boxes: dict[tuple[str, _Names], _Known] = field(default_factory=dict)
    _expressions: dict[tuple[str, Relation], Relation] = field(default_factory=dict)

    def bind(self, sql: str, scope: Scope) -> Bound | BindFailure:
        """See `Binder.bind`."""
        key = (sql, tuple(name for name, _ in scope.namespaces))
        known = self._boxes.get(key)
        if known is not None and _still_means(known, scope):
            return known.bound
        bound = self.binder.bind(sql, scope)
        if isinstance(bound, Bound):
            self._boxes[key] = _Known(bound, _tables(bound, scope))
        return bound

    def bind_expression(self, expression: str, columns: Relation) -> Relation | BindFailure:
        """See `Binder.bind_expression`."""
        key = (expression, columns)
        found = self._expressions.get(key)
        if found is not None:
            return found
        bound = self.binder.bind_expression(expression, columns)
        if isinstance(bound, Relation):
            self._expressions[key] = bound
        return bound


def _tables(bound: Bound, scope: Scope) -> dict[tuple[str, str], Relation]:
    namespaces = dict(scope.namespaces)
    found = {}
    for read in bound.reads:
        relation = namespaces.get(read.namespace, {}).get(read.need.table)
        if relation is not None:
            found[read.namespace, read.need.table] = relation
    return found


def _still_means(known: _Known, scope: Scope) -> bool:
    """Whether every table that the box reads is what it was, and no other one stands before it now."""
    namespaces = dict(scope.namespaces)
    for (namespace, table), relation in known.tables.items():
        now = namespaces.get(namespace, {}).get(table)
        if now is None or (now is not relation and now != relation):
            return False
        for name, tables in scope.namespaces:
            if name == namespace:
                break
            if table in tables:
                return False
    return True
