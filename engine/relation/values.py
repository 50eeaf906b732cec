"""Converts JSON and YAML values to exact text that fits their column."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from .types import ColumnType, Kind

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,38}(\.[0-9]{1,38})?")
_LONGEST: Final = 2**63


def as_text(value: object, kind: ColumnType) -> str | None:
    """A JSON value as text that DuckDB casts to the type. ValueError states what was expected."""
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


def _map(value: object) -> str:
    if isinstance(value, dict) and all(isinstance(each, str) for pair in value.items() for each in pair):
        return _json(value)
    raise ValueError("a mapping of text to text")


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
    """Whether it is valid Unicode without NUL: databases accept neither unpaired surrogates nor NUL in text."""
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def _json(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        raise ValueError("JSON") from None
    if not _is_storable(text) or "\\u0000" in text:
        raise ValueError("JSON without NUL or unpaired surrogates")
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
        raise ValueError(f"a number, or a number as text such as `12.50` ({kind})")
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
            timestamp = datetime.fromisoformat(value)
            if timestamp.tzinfo is not None:
                return timestamp.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    except (ValueError, OverflowError):
        pass
    raise ValueError("a timestamp with an offset such as `2026-01-31T12:00:00Z`")


_SCALARS: Final[Mapping[Kind, Callable[[object], str]]] = {
    Kind.JSON: _json,
    Kind.MAP: _map,
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _integer,
    Kind.FLOAT: _float,
    Kind.DATE: _date,
    Kind.TIMESTAMP: _timestamp,
}
