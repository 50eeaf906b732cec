"""Why a table is read as it is, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from engine.connector import Predicate, Value

from ..catalogue import FieldType, Table, table_fields
from .read_options import ReadOptions, Variant


def reason_of(table: Table, where: Sequence[Sequence[Predicate]], options: ReadOptions, children: Sequence[str]) -> str:
    """How the rows are reached, what Stripe filters, what is left to the SQL box, and what stays hidden."""
    parts = [_strategy(options)]
    pushed = _pushed(table, options)
    if pushed:
        parts.append(f"asks only for {pushed}")
    left = sorted({each.column for conjunction in where for each in conjunction} - _columns(table, options))
    if left and options["strategy"] != "none":
        parts.append(f"leaves {', '.join(f'`{column}`' for column in left)} to the SQL box")
    if options["limit"] is not None:
        order = "the newest" if options["newest_first"] else "any"
        parts.append(f"stops after {order} {options['limit']}")
    if children:
        parts.append(f"also gives the parents of {', '.join(f'`{child}`' for child in children)}")
    if table.hidden is not None and options["strategy"] == "list":
        parts.append(f"Stripe does not list {table.hidden}")
    return "; ".join(parts)


def _strategy(options: ReadOptions) -> str:
    parent = options["parent"]
    match options["strategy"]:
        case "none":
            return "no row can match"
        case "retrieve":
            return f"retrieves {len(options['ids'])} by id" if len(options["ids"]) > 1 else "retrieves one by id"
        case "embedded" if parent is not None:
            return f"comes inside `{parent['table']}`, and is paged on where a list there is cut"
        case "parents" if parent is not None and parent["values"] is None:
            return f"lists once for each of `{parent['table']}`"
        case "parents" if parent is not None:
            return f"lists for {len(parent['values'] or ())} known of `{parent['table']}`"
    kinds = len(options["variants"])
    return "lists" if kinds == 1 else f"lists in {kinds} kinds of requests"


def _columns(table: Table, options: ReadOptions) -> set[str]:
    """The columns whose comparisons the requests answer."""
    found = {predicate[0] for variant in options["variants"] for predicate in variant["where"]}
    if any(variant["gte"] is not None or variant["lt"] is not None for variant in options["variants"]):
        found.add(table.created or "created")
    return found


def _pushed(table: Table, options: ReadOptions) -> str:
    times = {field.name for field in table_fields(table.name) if field.type is FieldType.TIMESTAMP}
    texts = [_variant(variant, table.created or "created", times) for variant in options["variants"]]
    return " or ".join(dict.fromkeys(texts)) if all(texts) else ""


def _variant(variant: Variant, created: str, times: set[str]) -> str:
    held: list[tuple[str, str, list[Value]]] = [*variant["where"]]
    for op, bound in ((">=", variant["gte"]), ("<", variant["lt"])):
        if bound is not None:
            held.append((created, op, [bound]))
    return " and ".join(
        f"{column} {op} {', '.join(_value(value, column in times) for value in values)}" for column, op, values in held
    )


def _value(value: Value, time: bool) -> str:
    if time and isinstance(value, int):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").replace("T00:00:00Z", "")
    return str(value).lower() if isinstance(value, bool) else str(value)
