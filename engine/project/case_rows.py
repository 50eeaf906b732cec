"""Checks the rows of test cases: their columns exist, their values fit, their keys are unique."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from engine.connector import SourceTable
from engine.diagnostics import Collector, Fix, Place, closest, did_you_mean
from engine.relation import Column, ColumnType, Kind, Relation, as_text

GIVEN_SYSTEM_COLUMNS: Final = frozenset({"_account", "_livemode"})
"""System columns that only a test case can supply, because the provider does not return them."""

_ACCOUNT: Final = "_account"


def fitting_rows(
    whose: str, relation: Relation, rows: Sequence[Mapping[str, Any]], place: Place, collector: Collector
) -> tuple[Mapping[str, str | None], ...]:
    """The rows with each value as text that DuckDB casts to its column's type; invalid values are reported."""
    columns = {column.name: column for column in relation}
    found = []
    for index, row in enumerate(rows):
        here = place.at(index)
        written: dict[str, str | None] = {}
        for name, value in row.items():
            if name not in columns:
                _report_column(whose, name, columns, here.key(name), collector)
                continue
            try:
                written[name] = as_text(_timestamp_text(value, columns[name].type), columns[name].type)
            except ValueError as error:
                _report_value(value, error, columns[name], here.at(name), collector)
        found.append(written)
    return tuple(found)


def page_rows(
    table: SourceTable, rows: Sequence[Mapping[str, Any]], place: Place, collector: Collector
) -> tuple[Mapping[str, Any], ...]:
    """The rows as objects of a page that the provider could have sent; invalid rows are reported."""
    relation = Relation(
        tuple(each for each in table.relation if not each.name.startswith("_") or each.name in GIVEN_SYSTEM_COLUMNS)
    )
    before = len(collector)
    texts = fitting_rows(f"`{table.name}`", relation, rows, place, collector)
    if len(collector) == before:
        check_rows(texts, table.key, table.key, place, collector, beside=_ACCOUNT)
    kinds = {column.name: column.type.kind for column in relation}
    return tuple(
        {name: _in_page(row[name], text, kinds[name]) for name, text in written.items()}
        for row, written in zip(rows, texts, strict=True)
    )


def check_rows(
    rows: Sequence[Mapping[str, str | None]],
    key: Sequence[str],
    required: Sequence[str],
    place: Place,
    collector: Collector,
    *,
    beside: str | None = None,
) -> None:
    """Report rows without a required value, and rows with the key of an earlier row. `beside` is a column that is part
    of the key if a row has it."""
    seen: dict[tuple[str | None, ...], None] = {}
    for index, row in enumerate(rows):
        missing = [name for name in required if row.get(name) is None]
        if missing:
            hint = f"set {', '.join(f'`{name}`' for name in required)} in every row of this table"
            collector.report("E321", f"missing `{missing[0]}` in the row", place.at(index), hint=hint)
            continue
        own = tuple(row.get(name) for name in (*key, *([beside] if beside else [])))
        if key and own in seen:
            names = ", ".join(f"`{name}`" for name in key)
            hint = f"use each value of {names} once"
            collector.report("E321", "duplicate key: an earlier row has the same one", place.at(index), hint=hint)
        seen[own] = None


def _timestamp_text(value: Any, kind: ColumnType) -> Any:
    """Unix seconds as text; any other value unchanged."""
    if kind.kind is Kind.TIMESTAMP and isinstance(value, int) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC).isoformat()
        except (OverflowError, ValueError, OSError):
            return value
    return value


def _in_page(value: Any, text: str | None, kind: Kind) -> Any:
    """A value as in a page: exact, and in a form that staging accepts."""
    if text is None or kind in (Kind.DECIMAL, Kind.TIMESTAMP, Kind.DATE):
        return text
    return int(text) if kind is Kind.INTEGER else value


def _report_column(whose: str, name: str, columns: Mapping[str, object], place: Place, collector: Collector) -> None:
    near = closest(name, columns, 1)
    fixes = [Fix(f"write `{near[0]}`", place, near[0])] if near else []
    listed = ", ".join(f"`{each}`" for each in list(columns)[:12]) + (" …" if len(columns) > 12 else "")
    if name.startswith("_"):
        hint = "remove it: of the columns that start with `_`, only a provider's `_account` and `_livemode` can be set"
        fixes = []
    else:
        hint = did_you_mean(name, columns) or f"it has {listed}"
    collector.report("E316", f"no column `{name}` in {whose}", place, hint=hint, fixes=fixes)


def _report_value(value: Any, error: ValueError, column: Column, place: Place, collector: Collector) -> None:
    hint = None
    if column.type.kind is Kind.TIMESTAMP:
        hint = "use RFC 3339 text or Unix seconds"
    elif column.type.kind is Kind.TEXT and isinstance(value, int | float):
        hint = "quote it"
    elif column.type.kind is Kind.MAP:
        hint = "quote its values"
    message = f"expected {error} for `{column.name}` of type {column.type}"
    collector.report("E318", message, place, hint=hint)
