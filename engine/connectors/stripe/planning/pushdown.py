"""What of a SQL box's comparisons Stripe's list filters can answer, never losing a row that the box could see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.connector import EVERYTHING, Op, Predicate, Value, Window, merge_windows, window_of_predicate

from ..catalogue import Default, FieldType, Filter, FilterKind, Table
from .windows import sendable, window_params

MAX_KINDS: Final = 10
"""How many kinds of requests one conjunction may become; past it, its longest lists of values are not pushed."""
MAX_REQUESTS: Final = 24
"""How many kinds of requests a table may need in all; past it, they become one wider kind."""
MAX_IDS: Final = 50
"""How many ids are retrieved one by one before listing is cheaper."""
MAX_VALUES: Final = 10
"""How many values an array filter takes (`lookup_keys[]`: 10)."""
_MAX_TEXT: Final = 500
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")


@dataclass(frozen=True, slots=True)
class Draft:
    """One kind of list request: filter parameters, the `created` window, and the comparisons that it answers.

    `lists` are the array parameters, of whose values any may match; `query` has them written out. `exact`: it
    answers no row besides those that its conjunction needs.
    """

    params: tuple[tuple[str, str], ...] = ()
    lists: tuple[tuple[str, tuple[str, ...]], ...] = ()
    window: Window = EVERYTHING
    where: tuple[Predicate, ...] = ()
    exact: bool = True

    def covers(self, other: Draft) -> bool:
        """Whether every row that `other` answers is answered by this one too."""
        narrowed = dict(other.lists)
        return (
            set(self.params) <= set(other.params)
            and all(name in narrowed and set(narrowed[name]) <= set(values) for name, values in self.lists)
            and self.window.covers(other.window)
        )

    @property
    def query(self) -> dict[str, str]:
        """The filter parameters as the query string has them, the window aside."""
        lists = ((f"{name}[{place}]", text) for name, values in self.lists for place, text in enumerate(values))
        return {**dict(self.params), **dict(lists)}


@dataclass(slots=True)
class _Wanted:
    """What a conjunction needs of each column: windows, or the values that are left after all its comparisons."""

    windows: dict[str, Window]
    values: dict[str, dict[tuple[str, Value], Value]]
    exact: bool = True


@dataclass(frozen=True, slots=True)
class _Choice:
    """A column's values and the filter that takes them: all at once, or one a request."""

    filter: Filter
    column: str
    values: tuple[Value, ...]

    @property
    def kinds(self) -> int:
        return 1 if self.filter.kind is FilterKind.VALUES else len(self.values)

    def narrow(self, draft: Draft) -> Iterable[Draft]:
        """The draft with this filter set, once for each kind of request."""
        exact = draft.exact and self.filter.exact
        param = self.filter.param
        if self.filter.kind is FilterKind.VALUES:
            lists = tuple(sorted([*draft.lists, (param, tuple(_text(value) for value in self.values))]))
            where = (*draft.where, Predicate(self.column, Op.IN, self.values))
            yield replace(draft, lists=lists, where=tuple(sorted(where)), exact=exact)
            return
        for value in self.values:
            params = tuple(sorted([*draft.params, (param, _text(value))]))
            where = (*draft.where, Predicate(self.column, Op.EQ, (value,)))
            yield replace(draft, params=params, where=tuple(sorted(where)), exact=exact)


def draft_requests(table: Table, conjunction: Sequence[Predicate]) -> tuple[Draft, ...]:
    """The list requests that answer every row for which all comparisons hold; none when they contradict each other.

    Comparisons with the parents' ids and with `id` are not looked at: see `ids_of` and `parent_values_of`.
    """
    wanted = _wanted(table, conjunction)
    if wanted is None:
        return ()
    exact = wanted.exact
    created = sendable(wanted.windows.pop(table.created or "", EVERYTHING))
    params: dict[str, str] = {}
    where: list[Predicate] = []
    for column, window in sorted(wanted.windows.items()):
        narrowed = sendable(window)
        exact = exact and narrowed == window
        params |= window_params(narrowed, column)
        where.extend(narrowed.predicates(column))
    drafts = [Draft(tuple(sorted(params.items())), window=created, where=tuple(sorted(where)), exact=exact)]
    found = {column: _choice(table, column, tuple(values.values())) for column, values in wanted.values.items()}
    for column in sorted(found, key=lambda name: (0 if (each := found[name]) is None else each.kinds, name)):
        choice = found[column]
        if choice is None or len(drafts) * choice.kinds > MAX_KINDS:
            drafts = [replace(draft, exact=False) for draft in drafts]
        else:
            drafts = [each for draft in drafts for each in choice.narrow(draft)]
    return tuple(drafts)


def _wanted(table: Table, conjunction: Sequence[Predicate]) -> _Wanted | None:
    """The comparisons by column, or None when no row can satisfy them all."""
    ranged = {each.column: each for each in table.filters if each.kind is FilterKind.RANGE and each.column}
    valued = {each.column for each in table.filters if each.kind is not FilterKind.RANGE and each.column}
    wanted = _Wanted({}, {})
    for predicate in conjunction:
        column = predicate.column
        if column in ranged or column == table.created:
            window = window_of_predicate(predicate)
            if window is None:
                wanted.exact = False
                continue
            wanted.exact = wanted.exact and len(predicate.values) == 1
            narrowed = wanted.windows.get(column, EVERYTHING).intersect(window)
            if narrowed.empty:
                return None
            wanted.windows[column] = narrowed
        elif column in valued and predicate.op in (Op.EQ, Op.IN):
            values = {(type(each).__name__, each): each for each in predicate.values}
            before = wanted.values.get(column, values)
            wanted.values[column] = {key: value for key, value in values.items() if key in before}
            if not wanted.values[column]:
                return None
        else:
            wanted.exact = False
    return wanted


def _choice(table: Table, column: str, values: tuple[Value, ...]) -> _Choice | None:
    """The filter that answers a column's values, or None when there is none for all of them."""
    given = {parent.param for parent in table.parents}
    one: _Choice | None = None
    for each in table.filters:
        if each.column != column or each.param in given or each.kind is FilterKind.RANGE:
            continue
        if not all(_accepts(each, value) for value in values):
            continue
        choice = _Choice(each, column, tuple(sorted(values, key=str)))
        if each.kind is FilterKind.VALUE and len(values) == 1:
            return choice
        if each.kind is FilterKind.VALUE and one is None:
            one = choice
        if each.kind is FilterKind.VALUES and len(values) <= MAX_VALUES:
            one = choice
    return one


def _accepts(each: Filter, value: Value) -> bool:
    """Whether the filter answers exactly the rows with this value, and Stripe will not refuse it."""
    match each.type:
        case FieldType.BOOLEAN:
            return isinstance(value, bool)
        case FieldType.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= _MAX_TEXT
        or not value.isprintable()
        or value != value.strip()
    ):
        return False
    if each.column == "currency":
        return len(value) == 3 and value.isascii() and value.islower()
    return not each.answers or value in each.answers


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def with_defaults(table: Table, drafts: Iterable[Draft]) -> tuple[Draft, ...]:
    """The requests with the list's fixed parameters and with the defaults undone that hide rows."""
    found = [replace(draft, params=tuple(sorted({*table.fixed.items(), *draft.params}))) for draft in drafts]
    for default in table.defaults:
        found = [
            each
            for draft in found
            for each in ((draft,) if default.param in dict(draft.params) else _undone(table, draft, default))
        ]
    return tuple(found)


def _undone(table: Table, draft: Draft, default: Default) -> Iterable[Draft]:
    """The draft once for each value of the parameter; it answers the rows with that value only, if it is one."""
    filtered = table.find_filter(default.param)
    for text in default.values:
        where = draft.where
        if filtered is not None and filtered.column is not None and len(default.values) > 1:
            value = text == "true" if filtered.type is FieldType.BOOLEAN else text
            where = tuple(sorted([*where, Predicate(filtered.column, Op.EQ, (value,))]))
        yield replace(draft, params=tuple(sorted([*draft.params, (default.param, text)])), where=where)


def fewest(drafts: Sequence[Draft]) -> tuple[Draft, ...]:
    """Fewer requests for the same rows: what another covers is dropped, touching windows become one.

    More than `MAX_REQUESTS` become a single one over all their windows. Without drafts there are none.
    """
    kept: list[Draft] = []
    for draft in drafts:
        if not any(other.covers(draft) for other in kept):
            kept = [other for other in kept if not draft.covers(other)]
            kept.append(draft)
    grouped: dict[tuple[object, object], list[Draft]] = {}
    for draft in kept:
        grouped.setdefault((draft.params, draft.lists), []).append(draft)
    merged = [
        replace(group[0], window=window, exact=False)
        for group in grouped.values()
        for window in merge_windows(each.window for each in group)
    ]
    if len(merged) <= MAX_REQUESTS:
        return tuple(merged)
    window = merged[0].window
    for draft in merged:
        window = window.hull(draft.window)
    return (Draft(window=window, exact=False),)


def ids_of(conjunction: Sequence[Predicate], column: str) -> frozenset[str] | None:
    """The texts that `column` may have when all comparisons hold, or None when they do not determine them."""
    found: frozenset[str] | None = None
    for predicate in conjunction:
        if predicate.column == column and predicate.op in (Op.EQ, Op.IN):
            values = frozenset(each for each in predicate.values if isinstance(each, str))
            if len(values) == len(set(predicate.values)):
                found = values if found is None else found & values
    return found


def ids_of_all(where: Iterable[Sequence[Predicate]], column: str) -> tuple[str, ...] | None:
    """The few texts that `column` may have in any of the conjunctions; None when one sets no limit, or they are many.

    Texts that cannot be ids are reason enough for None: they must not be put into a path.
    """
    found: set[str] = set()
    for conjunction in where:
        values = ids_of(conjunction, column)
        if values is None:
            return None
        found |= values
    return tuple(sorted(found)) if len(found) <= MAX_IDS and all(_ID.fullmatch(each) for each in found) else None
