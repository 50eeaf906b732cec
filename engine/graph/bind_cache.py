"""Caches bound boxes, so that a box is bound again only after its SQL or its tables changed."""

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
"""`customers_all` is `customers` including deleted rows."""


@dataclass(slots=True)
class _KnownBox:
    """The result of binding a box. `tables` are those named by any word of its SQL, by (namespace, name), whether the
    box reads them or not: no other table can affect it."""

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
    """A `Binder` that caches the results of another one. Failures are not cached; of boxes, the `most` last used
    are."""

    binder: Binder
    most: int = 10_000
    _boxes: dict[tuple[str, _Names], _KnownBox] = field(default_factory=dict)
    _expressions: dict[tuple[str, Relation], _KnownExpression] = field(default_factory=dict)

    def bind(self, sql: str, scope: Scope) -> Bound | BindFailure:
        """See `Binder.bind`."""
        key = (sql, tuple(name for name, _ in scope.namespaces))
        known = self._boxes.get(key)
        if known is not None and _still_means(known, scope):
            self._boxes[key] = self._boxes.pop(key)  # least recently used first
            known.age = 0
            return known.bound
        bound = self.binder.bind(sql, scope)
        if isinstance(bound, Bound):
            words = tuple({word.casefold() for word in _WORD.findall(sql)})
            words += tuple(word.removesuffix(_ALL) for word in words if word.endswith(_ALL))
            self._boxes.pop(key, None)
            self._boxes[key] = _KnownBox(bound, words, _named(words, scope))
            if len(self._boxes) > self.most:  # every value of a parameter gives different SQL
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
        """Drop entries that were not used since the last `age` calls of this method."""
        kinds: tuple[dict[Any, Any], ...] = (self._boxes, self._expressions)
        for kind in kinds:
            for key in [key for key, known in kind.items() if known.age >= age]:
                del kind[key]
            for known in kind.values():
                known.age += 1


def _named(words: tuple[str, ...], scope: Scope) -> dict[tuple[str, str], Relation]:
    """The tables of the scope whose name is one of the words."""
    return {
        (namespace, word): tables[word] for namespace, tables in scope.namespaces for word in words if word in tables
    }


def _still_means(known: _KnownBox, scope: Scope) -> bool:
    """Whether the words name the same tables as before, with the same columns."""
    now = _named(known.words, scope)
    return now.keys() == known.tables.keys() and all(
        relation is known.tables[key] or relation == known.tables[key] for key, relation in now.items()
    )
