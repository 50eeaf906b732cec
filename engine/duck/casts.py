"""Lossless casts between column types: a SQL expression and the conditions under which a value does not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.relation import ColumnType, Kind

from .types import sql_type


@dataclass(frozen=True, slots=True)
class Misfit:
    """A SQL condition, true for a source value that does not fit, and the problem to report for it."""

    condition: str
    problem: str


@dataclass(frozen=True, slots=True)
class Cast:
    """`value` is SQL of the target type, NULL where the source is NULL or does not fit; `misfits` separates the two.

    No cast rounds, truncates or wraps: a value that would change is a misfit. Text and JSON scalars are parsed as text;
    blanks around a number, a date or a boolean are ignored. A JSON `null` is NULL.
    """

    value: str
    misfits: tuple[Misfit, ...]


_INTEGERS: Final = frozenset(
    {"BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT", "HUGEINT", "UHUGEINT"}
)
_FLOATS: Final = frozenset({"DOUBLE", "FLOAT"})
_NESTED: Final = ("STRUCT(", "MAP(", "UNION(")
_INTEGER_TEXT: Final = r"[+-]?\d+(\.0*)?"
_TRUTH: Final = "('true', 'false', 't', 'f', 'yes', 'no', '1', '0')"
_DATE_TEXT: Final = r"\d{4}-\d{1,2}-\d{1,2}"
_TIME_TEXT: Final = r"\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d{0,6}0*)?)?( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))?)?"


def cast(value: str, source: str, target: ColumnType) -> Cast:
    """The cast of `value`, SQL of DuckDB type `source`, to `target`."""
    if source == '"NULL"':
        return Cast(f"CAST(NULL AS {sql_type(target)})", ())
    return _BY_KIND[target.kind](value, source, target)


def _plain(value: str, target: ColumnType, problem: str) -> Cast:
    converted = f"TRY_CAST({value} AS {sql_type(target)})"
    return Cast(converted, (Misfit(f"{value} IS NOT NULL AND {converted} IS NULL", problem),))


def _text_of(value: str, source: str) -> str:
    return f"({value} ->> '$')" if source == "JSON" else f"CAST({value} AS VARCHAR)"


def _by_pattern(value: str, source: str, target: ColumnType, pattern: str, problem: str) -> Cast:
    text = f"trim({_text_of(value, source)})"
    fits = f"regexp_full_match({text}, '{pattern}')"
    converted = f"CASE WHEN {fits} THEN TRY_CAST({text} AS {sql_type(target)}) END"
    return Cast(converted, (Misfit(f"{text} IS NOT NULL AND ({converted}) IS NULL", problem),))


def _round_trip(value: str, source: str, target: ColumnType, problem: str, changed: str) -> Cast:
    plain = _plain(value, target, problem)
    back = f"TRY_CAST({plain.value} AS {source}) IS DISTINCT FROM {value}"
    return Cast(plain.value, (*plain.misfits, Misfit(f"{value} IS NOT NULL AND {back}", changed)))


def _integer(value: str, source: str, target: ColumnType) -> Cast:
    if source == "BIGINT":
        return Cast(value, ())
    if source in _INTEGERS:
        return _plain(value, target, "does not fit into 64 bits")
    if source in _FLOATS or source.startswith("DECIMAL("):
        plain = _plain(value, target, "does not fit into 64 bits")
        rounded = Misfit(f"{value} IS NOT NULL AND {value} <> trunc({value})", "is not a whole number")
        return Cast(plain.value, (*plain.misfits, rounded))
    if source == "BOOLEAN":
        return _never(value, target)
    return _by_pattern(value, source, target, _INTEGER_TEXT, "is not an integer of 64 bits")


def _decimal(value: str, source: str, target: ColumnType) -> Cast:
    name, scale = sql_type(target), target.scale
    too_large = f"does not fit into {target}"
    changed = f"has more than {scale} decimal places"
    if source == name:
        return Cast(value, ())
    if source in _INTEGERS:
        return _plain(value, target, too_large)
    if source in _FLOATS:
        return _round_trip(value, source, target, too_large, f"{changed}: use round(…, {scale})")
    if source.startswith("DECIMAL("):
        plain = _plain(value, target, too_large)
        if int(source.rstrip(")").rpartition(",")[2]) <= scale:
            return plain
        rounded = Misfit(f"{value} IS NOT NULL AND {value} <> round({value}, {scale})", changed)
        return Cast(plain.value, (*plain.misfits, rounded))
    if source == "BOOLEAN":
        return _never(value, target)
    fraction = rf"\.\d{{0,{scale}}}0*" if scale else r"\.0*"
    leading = rf"|\.\d{{1,{scale}}}0*" if scale else ""
    return _by_pattern(value, source, target, rf"[+-]?(\d+({fraction})?{leading})", f"is not a {target}")


def _float(value: str, source: str, target: ColumnType) -> Cast:
    if source in _FLOATS:
        return Cast(f"CAST({value} AS DOUBLE)", ())
    if source in _INTEGERS or source.startswith("DECIMAL("):
        return _round_trip(value, source, target, "is not a number", "has more digits than a float holds")
    if source == "BOOLEAN":
        return _never(value, target)
    text = f"trim({_text_of(value, source)})"
    converted = f"TRY_CAST({text} AS DOUBLE)"
    return Cast(converted, (Misfit(f"{text} IS NOT NULL AND {converted} IS NULL", "is not a number"),))


def _boolean(value: str, source: str, target: ColumnType) -> Cast:
    if source == "BOOLEAN":
        return Cast(value, ())
    if source not in ("VARCHAR", "JSON"):
        return _never(value, target)
    text = f"lower(trim({_text_of(value, source)}))"
    converted = f"CASE WHEN {text} IN {_TRUTH} THEN CAST({text} AS BOOLEAN) END"
    return Cast(converted, (Misfit(f"{text} IS NOT NULL AND {text} NOT IN {_TRUTH}", "is neither true nor false"),))


def _date(value: str, source: str, target: ColumnType) -> Cast:
    if source == "DATE":
        return Cast(value, ())
    if source.startswith("TIMESTAMP"):
        timestamp = f"CAST({value} AS TIMESTAMP)" if source == "TIMESTAMP" else _utc(value, source)
        cut = Misfit(f"{timestamp} IS NOT NULL AND {timestamp} <> date_trunc('day', {timestamp})", "has a time of day")
        return Cast(f"CAST({timestamp} AS DATE)", (cut,))
    return _by_pattern(value, source, target, _DATE_TEXT, "is not a date (YYYY-MM-DD)")


def _utc(value: str, source: str) -> str:
    if source == "TIMESTAMP WITH TIME ZONE":
        return f"({value} AT TIME ZONE 'UTC')"
    return f"CAST({value} AS TIMESTAMP)"


def _timestamp(value: str, source: str, target: ColumnType) -> Cast:
    if source == "TIMESTAMP_NS":
        return _round_trip(value, source, target, "is not a timestamp", "is finer than a microsecond")
    if source == "DATE" or source.startswith("TIMESTAMP"):
        return Cast(_utc(value, source), ())
    text = f"trim({_text_of(value, source)})"
    fits = f"regexp_full_match({text}, '{_TIME_TEXT}')"
    converted = f"CASE WHEN {fits} THEN TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END"
    problem = "is not a timestamp (YYYY-MM-DDThh:mm:ssZ, to the microsecond)"
    return Cast(converted, (Misfit(f"{text} IS NOT NULL AND ({converted}) IS NULL", problem),))


def _text(value: str, source: str, target: ColumnType) -> Cast:  # noqa: ARG001 - one signature for all kinds
    if source == "VARCHAR":
        return Cast(value, ())
    if source == "JSON":
        return Cast(f"({value} ->> '$')", ())
    if source.startswith(_NESTED) or source.endswith("]"):
        return Cast(f"CAST(to_json({value}) AS VARCHAR)", ())
    if source == "TIMESTAMP WITH TIME ZONE":
        return Cast(f"CAST({_utc(value, source)} AS VARCHAR)", ())
    return Cast(f"CAST({value} AS VARCHAR)", ())


def _json(value: str, source: str, target: ColumnType) -> Cast:
    if source == "JSON":
        return Cast(value, ())
    if source == "VARCHAR":
        return _plain(value, target, "is not JSON")
    return Cast(f"CASE WHEN {value} IS NOT NULL THEN to_json({value}) END", ())


def _list(value: str, source: str, target: ColumnType) -> Cast:
    if source == sql_type(target):
        return Cast(value, ())
    if source == "JSON":
        array = f"CASE WHEN json_type({value}) = 'ARRAY' THEN {value} END"
        converted = f"TRY_CAST({array} AS {sql_type(target)})"
        present = f"{value} IS NOT NULL AND json_type({value}) <> 'NULL'"
        same = f"TRY_CAST(to_json({converted}) AS VARCHAR) IS DISTINCT FROM TRY_CAST(json({value}) AS VARCHAR)"
        return Cast(
            converted,
            (
                Misfit(f"{present} AND {converted} IS NULL", f"is not a list ({target})"),
                Misfit(f"{present} AND {same}", f"has items that do not fit into {target}"),
            ),
        )
    if source.endswith("]"):
        problem = f"has items that do not fit into {target}"
        return _round_trip(value, source, target, problem, problem)
    return _never(value, target)


def _never(value: str, target: ColumnType) -> Cast:
    return Cast(f"CAST(NULL AS {sql_type(target)})", (Misfit(f"{value} IS NOT NULL", f"is not of type {target}"),))


_BY_KIND: Final[dict[Kind, Callable[[str, str, ColumnType], Cast]]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.FLOAT: _float,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.TIMESTAMP: _timestamp,
    Kind.JSON: _json,
    Kind.LIST: _list,
}
