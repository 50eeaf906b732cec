"""Rows that a caller gives for a table of the Schema: checked by its columns before anything is begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from engine.app.checking.check import Checked
from engine.app.errors import Exit, RefusalError
from engine.app.running.world import GivenRows
from engine.graph import SCHEMA_NAMESPACE, Call, Extract, Import
from engine.project import SchemaTable
from engine.relation import as_text

MOST_ROWS: Final = 10_000


def check_rows(
    checked: Checked, interface: str, given: Mapping[str, Sequence[Mapping[str, object]]]
) -> tuple[GivenRows, ...]:
    """The rows as text that fits its columns. RefusalError: a table that does not begin with given rows, too many rows,
    a column that there is not, a value of another type, a required one that is missing, a key that comes twice."""
    if not given:
        return ()
    allowed = input_tables(checked, interface)
    total = sum(len(rows) for rows in given.values())
    if total > MOST_ROWS:
        raise _refusal(f"{total:,} rows were given, at most {MOST_ROWS:,} are taken", "give fewer, in several runs")
    return tuple(_checked(_table(checked, interface, name, allowed), rows) for name, rows in given.items())


def input_tables(checked: Checked, interface: str) -> frozenset[str]:
    """The tables of the Schema that a caller of the interface may give rows for: it reads them, and no step of any
    interface writes them."""
    steps = [step for step in checked.graph.steps if not isinstance(step, Extract)]
    written = {step.into for step in steps if isinstance(step, Import)}
    written |= {step.answer.into for step in steps if isinstance(step, Call) and step.answer is not None}
    read = {
        each.need.table
        for step in steps
        if step.interface == interface
        for each in step.box.bound.reads
        if each.namespace == SCHEMA_NAMESPACE
    }
    return frozenset(read - written)


def _table(checked: Checked, interface: str, name: str, allowed: frozenset[str]) -> SchemaTable:
    if name not in allowed:
        there = ", ".join(f"`{each}`" for each in sorted(allowed)) or "none"
        raise _refusal(
            f"`{interface}` does not take rows for `{name}`",
            f"rows are taken for tables that it reads and no step writes: {there}",
        )
    return checked.project.tables[name]


def _checked(table: SchemaTable, rows: Sequence[Mapping[str, object]]) -> GivenRows:
    columns = {column.name: column for column in table.relation}
    found: list[Mapping[str, str | None]] = []
    keys: set[tuple[str | None, ...]] = set()
    for number, row in enumerate(rows):
        for name in row:
            if name not in columns:
                raise _refusal(f"row {number} of `{table.name}`: no column `{name[:64]}`", _columns(table))
        written: dict[str, str | None] = {}
        for name, column in columns.items():
            value = row.get(name)
            value = table.defaults.get(name) if value is None else value
            if value is None and (column.required or name in table.key):
                raise _refusal(f"row {number} of `{table.name}`: `{name}` is required", _columns(table))
            try:
                written[name] = as_text(value, column.type)
            except ValueError as error:
                where = f"row {number} of `{table.name}`, column `{name}`"
                raise _refusal(f"{where}: expected {error}", None) from None
        key = tuple(written[name] for name in table.key)
        if table.key and key in keys:
            raise _refusal(f"row {number} of `{table.name}` has the key of a row before it", None)
        keys.add(key)
        found.append(written)
    return GivenRows(table.name, tuple(found))


def _columns(table: SchemaTable) -> str:
    return "it has " + ", ".join(f"`{name}`" for name in table.relation.names)


def _refusal(message: str, hint: str | None) -> RefusalError:
    return RefusalError(Exit.USAGE, message, hint)
