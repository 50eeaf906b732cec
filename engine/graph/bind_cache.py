"""Remembers how boxes bind, so that only boxes whose SQL or whose tables have changed are bound again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engine.relation import Relation

from .types import Binder, BindFailure, Bound, Scope

_Names = tuple[str, ...]
_WORD: Final = re.compile(r"\w+")
_ALL: Final = "_all"
"""`customers_all` names `customers`, with the rows that are gone."""


@dataclass(slots=True)
class _Known:
    """What a box was bound to. `tables` are those that its words name, by (namespace, name), read or not: only they
    can matter to it."""

    bound: Bound
    words: tuple[str, ...]
    tables: Mapping[tuple[str, str], Relation]
    age: int = 0


@dataclass(slots=True)
class _KnownExpression:
    relation: Relation
    age: int = 0


@dataclass(slots=True)
class BindMemory:
    """A `Binder` in front of another one. What does not bind is asked anew each time; of boxes, the `most`
    last used are remembered."""

    binder: Binder
    most: int = 10_000
    _boxes: dict[tuple[str, _Names], _Known] = field(default_factory=dict)
    _expressions: dict[tuple[str, Relation], _KnownExpression] = field(default_factory=dict)

    def bind(self, sql: str, scope: Scope) -> Bound | BindFailure:
        """See `Binder.bind`."""
        key = (sql, tuple(name for name, _ in scope.namespaces))
        known = self._boxes.get(key)
        if known is not None and _still_means(known, scope):
            self._boxes[key] = self._boxes.pop(key)  # the longest unused are at the front
            known.age = 0
            return known.bound
        bound = self.binder.bind(sql, scope)
        if isinstance(bound, Bound):
            words = tuple({word.casefold() for word in _WORD.findall(sql)})
            words += tuple(word.removesuffix(_ALL) for word in words if word.endswith(_ALL))
            self._boxes.pop(key, None)
            self._boxes[key] = _Known(bound, words, _named(words, scope))
            if len(self._boxes) > self.most:  # each value of a parameter is another SQL
                del self._boxes[next(iter(self._boxes))]
        return bound

    def bind_expression(self, expression: str, columns: Relation) -> Relation | BindFailure:
        """See `Binder.bind_expression`."""
        key = (expression, columns)
        known = self._expressions.get(key)
        if known is not None:
            known.age = 0
            return known.relation
        bound = self.binder.bind_expression(expression, columns)
        if isinstance(bound, Relation):
            self._expressions[key] = _KnownExpression(bound)
        return bound

    def forget(self, age: int) -> None:
        """Let go of what was not asked for since this was called so often."""
        kinds: tuple[dict[Any, Any], ...] = (self._boxes, self._expressions)
        for kind in kinds:
            for key in [key for key, known in kind.items() if known.age >= age]:
                del kind[key]
            for known in kind.values():
                known.age += 1


def _named(words: tuple[str, ...], scope: Scope) -> dict[tuple[str, str], Relation]:
    """The tables of the scope that one of the words names."""
    return {
        (namespace, word): tables[word] for namespace, tables in scope.namespaces for word in words if word in tables
    }


def _still_means(known: _Known, scope: Scope) -> bool:
    """Whether the words name the same tables as they did, and these are what they were."""
    now = _named(known.words, scope)
    return now.keys() == known.tables.keys() and all(
        relation is known.tables[key] or relation == known.tables[key] for key, relation in now.items()
    )
