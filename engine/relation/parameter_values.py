"""Typed parameters: converts a value of a file or a command line to a Python value of the declared type."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from engine.relation import ColumnType, Kind

ParameterValue = str | int | float | bool | Decimal | datetime | date | list["ParameterValue"] | None


def parameter_value(written: object, kind: ColumnType) -> ParameterValue:
    """`written`, which is text or a YAML value, as a value of the type. ValueError states what was expected. Timestamps
    without an offset are UTC."""
    if written is None:
        return None
    if kind.kind is Kind.LIST:
        return _list(written, kind)
    text = written if isinstance(written, str) else None
    match kind.kind:
        case Kind.TEXT:
            return str(written) if not isinstance(written, bool | list) else _refuse("text")
        case Kind.INTEGER:
            return _integer(written)
        case Kind.DECIMAL:
            return _decimal(written, kind)
        case Kind.FLOAT:
            return _float(written)
        case Kind.BOOLEAN:
            return _boolean(written)
        case Kind.DATE:
            return _date(text)
        case Kind.TIMESTAMP:
            return _timestamp(text)
        case Kind.JSON:
            return _json(written)
        case _:
            raise ValueError(f"expected another type: parameters cannot have the type {kind}")


def _refuse(expected: str) -> ParameterValue:
    raise ValueError(f"expected {expected}")


def _integer(written: object) -> int:
    try:
        number = int(written) if isinstance(written, str) else written
    except ValueError:
        raise ValueError("expected a whole number") from None
    if isinstance(number, bool) or not isinstance(number, int) or not -(2**63) <= number < 2**63:
        raise ValueError("expected a whole number of 64 bits")
    return number


def _decimal(written: object, kind: ColumnType) -> Decimal:
    try:
        number = Decimal(str(written))
    except InvalidOperation:
        raise ValueError("expected a decimal number") from None
    if isinstance(written, bool) or not number.is_finite():
        raise ValueError("expected a decimal number")
    exponent = number.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > kind.scale:
        raise ValueError(f"expected at most {kind.scale} digits after the point")
    return number


def _float(written: object) -> float:
    try:
        if isinstance(written, bool):
            raise TypeError
        return float(written)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError("expected a number") from None


def _boolean(written: object) -> bool:
    if isinstance(written, bool):
        return written
    if written in ("true", "false"):
        return written == "true"
    raise ValueError("expected `true` or `false`")


def _date(text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        raise ValueError("expected a date such as `2026-01-31`") from None


def _timestamp(text: str | None) -> datetime:
    try:
        timestamp = datetime.fromisoformat(text or "")
    except ValueError:
        raise ValueError("expected a timestamp such as `2026-01-31T12:00:00Z`") from None
    return timestamp.astimezone(UTC) if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)


def _json(written: object) -> str:
    if isinstance(written, str):
        try:
            json.loads(written)
        except ValueError:
            raise ValueError("expected JSON") from None
        return written
    return json.dumps(written)


def _list(written: object, kind: ColumnType) -> list[ParameterValue]:
    if isinstance(written, str):
        try:
            written = json.loads(written) if written.lstrip().startswith("[") else written.split(",")
        except ValueError:
            raise ValueError(f"expected a list of {kind.item}, such as `a,b` or JSON") from None
    if not isinstance(written, list) or kind.item is None:
        raise ValueError(f"expected a list of {kind.item}")
    return [parameter_value(item, kind.item) for item in written]
