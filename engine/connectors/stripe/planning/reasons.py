"""Why a table is read as it is, in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import assert_never

from engine.connector import Predicate, Value

from ..catalogue import FieldType, Table, table_fields
from .read_options import (
    Embedded,
    Kept,
    Listed,
    ListedForParents,
    ListedForValues,
    NoRows,
    Retrieved,
    TableOptions,
    variants_of,
)

_Answered = tuple[Predicate, ...]
"""The comparisons that one kind of request answers."""


def reason_of(
    table: Table, where: Sequence[Sequence[Predicate]], options: TableOptions, children: Sequence[str]
) -> str:
    """How the rows are reached, what Stripe filters, what is left to the SQL box, and what stays hidden."""
    parts = [_strategy(table, options)]
    answered = _answered(table, options)
    pushed = _pushed(table, answered)
    if pushed:
        parts.append(f"asks only for {pushed}")
    columns = {predicate.column for each in answered for predicate in each}
    left = sorted({each.column for conjunction in where for each in conjunction} - columns)
    if left and not isinstance(options, NoRows):
        parts.append(f"leaves {', '.join(f'`{column}`' for column in left)} to the SQL box")
    if isinstance(options, Listed) and options.limit is not None:
        order = "the newest" if options.newest_first else "any"
        parts.append(f"stops after {order} {options.limit}")
    if children:
        parts.append(f"also gives the parents of {', '.join(f'`{child}`' for child in children)}")
    if table.hidden is not None and isinstance(options, Listed):
        parts.append(f"Stripe does not list {table.hidden}")
    return "; ".join(parts)


def _strategy(table: Table, options: TableOptions) -> str:
    match options:
        case NoRows():
            return "no row can match"
        case Kept():
            return "the mirror has it"
        case Retrieved():
            return f"retrieves {len(options.ids)} by id" if len(options.ids) > 1 else "retrieves one by id"
        case Embedded():
            return f"comes inside `{options.parent.table}`, and is paged on where a list there is cut"
        case ListedForParents():
            return f"lists once for each of `{options.parent.table}`"
        case ListedForValues():
            return f"lists for {len(options.values)} known of `{table.parents[0].table}`"
        case Listed():
            kinds = len(options.variants)
            return "lists" if kinds == 1 else f"lists in {kinds} kinds of requests"
        case _:
            assert_never(options)


def _answered(table: Table, options: TableOptions) -> list[_Answered]:
    if isinstance(options, Retrieved):
        return [options.where]
    created = table.created or "created"
    return [(*each.where, *each.window.predicates(created)) for each in variants_of(options)]


def _pushed(table: Table, answered: Iterable[_Answered]) -> str:
    times = {field.name for field in table_fields(table.name) if field.type is FieldType.TIMESTAMP}
    texts = [" and ".join(_comparison(predicate, times) for predicate in each) for each in answered]
    return " or ".join(dict.fromkeys(texts)) if all(texts) else ""


def _comparison(predicate: Predicate, times: set[str]) -> str:
    values = ", ".join(_value(value, predicate.column in times) for value in predicate.values)
    return f"{predicate.column} {predicate.op.value} {values}"


def _value(value: Value, time: bool) -> str:
    if time and isinstance(value, int):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").replace("T00:00:00Z", "")
    return str(value).lower() if isinstance(value, bool) else str(value)
