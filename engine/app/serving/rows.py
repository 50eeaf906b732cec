"""Rows that a caller gives for a table of the Schema: checked by its columns before anything is begun."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from engine.app.errors import Exit, RefusalError
from engine.app.world import GivenRows
from engine.graph import SCHEMA_NAMESPACE, Call, Extract, Import
from engine.relation import Kind

if TYPE_CHECKING:
    from engine.app.check import Checked
    from engine.project import Table
    from engine.relation import ColumnType

MOST_ROWS: Final = 10_000
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,38}(\.[0-9]{1,38})?")
_LONGEST: Final = 2**63


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


def _table(checked: Checked, interface: str, name: str, allowed: frozenset[str]) -> Table:
    if name not in allowed:
        there = ", ".join(f"`{each}`" for each in sorted(allowed)) or "none"
        raise _refusal(
            f"`{interface}` does not take rows for `{name}`",
            f"rows are taken for tables that it reads and no step writes: {there}",
        )
    return checked.project.tables[name]


def _checked(table: Table, rows: Sequence[Mapping[str, object]]) -> GivenRows:
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


def _columns(table: Table) -> str:
    return "it has " + ", ".join(f"`{name}`" for name in table.relation.names)


def as_text(value: object, kind: ColumnType) -> str | None:
    """A JSON value as text that DuckDB casts to the type. ValueError says what was expected."""
    if value is None:
        return None
    if kind.kind is Kind.LIST:
        return _list(value, kind)
    if kind.kind is Kind.DECIMAL:
        return _decimal(value, kind)
    return _SCALARS.get(kind.kind, _text)(value)


def _text(value: object) -> str:
    if isinstance(value, str) and _is_storable(value):
        return value
    raise ValueError("text")


def _boolean(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    raise ValueError("true or false")


def _float(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            if math.isfinite(float(value)):
                return repr(float(value))
        except OverflowError:
            pass
    raise ValueError("a number")


def _is_storable(text: str) -> bool:
    """Whether it is Unicode without a NUL: neither half of a surrogate pair alone nor NUL is text to a database."""
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def _json(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        raise ValueError("JSON") from None
    if not _is_storable(text) or "\\u0000" in text:
        raise ValueError("JSON without NUL or half characters")
    return text


def _list(value: object, kind: ColumnType) -> str:
    if not isinstance(value, list) or kind.item is None:
        raise ValueError(f"a list ({kind})")
    item = kind.item
    texts = [as_text(each, item) for each in value]
    nested = item.kind in (Kind.LIST, Kind.JSON)
    return json.dumps([json.loads(text) if nested and text is not None else text for text in texts])


def _integer(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -_LONGEST <= value < _LONGEST:
        raise ValueError("an integer of 64 bits")
    return str(value)


def _decimal(value: object, kind: ColumnType) -> str:
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise ValueError(f"a number, or one as text such as `12.50` ({kind})")
    try:
        exact = Decimal(text).normalize()
    except InvalidOperation:
        raise ValueError(str(kind)) from None
    digits, exponent = exact.as_tuple().digits, exact.as_tuple().exponent
    scale = max(0, -exponent) if isinstance(exponent, int) else 0
    if any(digits) and (scale > kind.scale or exact.adjusted() + 1 > kind.precision - kind.scale):
        raise ValueError(f"a number that fits {kind}")
    return f"{exact:f}"


def _date(value: object) -> str:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise ValueError("a date such as `2026-01-31`")


def _timestamp(value: object) -> str:
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    except (ValueError, OverflowError):
        pass
    raise ValueError("a moment with its offset such as `2026-01-31T12:00:00Z`")


_SCALARS: Final[Mapping[Kind, Callable[[object], str]]] = {
    Kind.JSON: _json,
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _integer,
    Kind.FLOAT: _float,
    Kind.DATE: _date,
    Kind.TIMESTAMP: _timestamp,
}


def _refusal(message: str, hint: str | None) -> RefusalError:
    return RefusalError(Exit.USAGE, message, hint)
