"""Values in the text form that a provider receives, from a box's row and from the mirror.

Equal values have equal text on both sides, so that texts can be compared. Empty text counts as no value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.connector import ParameterKind, Shown
from engine.graph import WriteColumn
from engine.relation import BOOLEAN, FLOAT, INTEGER, TEXT, ColumnType, Kind, Relation

from ..casts import Misfit, cast
from ..quoting import quote_literal, quote_name
from ..types import sql_type

DECIMAL: Final = ColumnType(Kind.DECIMAL, 38, 12)
_TYPES: Final[Mapping[ParameterKind, ColumnType]] = {
    ParameterKind.TEXT: TEXT,
    ParameterKind.ENUM: TEXT,
    ParameterKind.INTEGER: INTEGER,
    ParameterKind.NUMBER: FLOAT,
    ParameterKind.DECIMAL: DECIMAL,
    ParameterKind.BOOLEAN: BOOLEAN,
}


@dataclass(frozen=True, slots=True)
class Wire:
    """`text` is SQL for the text to send, NULL without a value; `misfits` are the conditions that refuse it."""

    text: str
    misfits: tuple[Misfit, ...]


def wire_text(value: str, source: str, column: WriteColumn, currency: str | None, units: Mapping[str, int]) -> Wire:
    """The text to send for `value`, SQL of DuckDB type `source`. `currency` is SQL for the currency of an amount."""
    parameter = column.parameter
    if parameter.money and source.startswith("DECIMAL(") and currency is not None:
        return _amount(value, source, currency, units)
    if parameter.kind is ParameterKind.INTEGER and (source == "DATE" or source.startswith("TIMESTAMP")):
        return _unix_time(value, source)
    if parameter.kind is ParameterKind.LIST:
        return _list(value, source)
    made = cast(value, source, _TYPES.get(parameter.kind, TEXT))
    text = canonical(made.value, parameter.kind)
    if parameter.folded:
        text = f"lower({text})"
    misfits = list(made.misfits)
    if parameter.kind is ParameterKind.ENUM and parameter.values:
        known = ", ".join(quote_literal(each) for each in parameter.values)
        misfits.append(Misfit(f"{text} NOT IN ({known})", f"is none of {', '.join(parameter.values[:12])}"))
    if parameter.kind is ParameterKind.NUMBER:
        misfits.append(Misfit(f"NOT isfinite({made.value})", "is not a number that can be sent"))
    if parameter.longest is not None:
        misfits.append(Misfit(f"length({text}) > {parameter.longest}", f"has more than {parameter.longest} characters"))
    return Wire(text, tuple(misfits))


def canonical(value: str, kind: ParameterKind) -> str:
    """The one text that stands for a value of this kind; NULL for NULL and for empty text."""
    if kind is ParameterKind.DECIMAL:
        text = f"CAST(CAST({value} AS {sql_type(DECIMAL)}) AS VARCHAR)"
        return f"rtrim(rtrim({text}, '0'), '.')"
    if kind is ParameterKind.NUMBER:
        return f"CAST(CAST({value} AS DOUBLE) AS VARCHAR)"
    return f"nullif(CAST({value} AS VARCHAR), '')"


def shown_text(shown: Shown, relation: Relation, kind: ParameterKind) -> str:
    """SQL for the text of what a row of the mirror shows; NULL where it shows nothing."""
    column = relation.find(shown.column)
    name = quote_name(shown.column)
    if column is None:
        return "NULL::VARCHAR"
    if column.type.kind is Kind.MAP and len(shown.path) == 1:
        return f"nullif({name}[{quote_literal(shown.path[0])}], '')"
    if shown.path:
        way = "$" + "".join(f'."{part}"' for part in shown.path)
        return _from_json(f"({name} ->> {quote_literal(way)})", kind)
    if column.type.kind is Kind.TIMESTAMP:
        return f"CAST(CAST(epoch({name}) AS BIGINT) AS VARCHAR)"
    if column.type.kind is Kind.JSON and kind is ParameterKind.LIST:
        return _shown_list(name)
    if column.type.kind is Kind.JSON:
        return _from_json(f"({name} ->> '$')", kind)
    return canonical(name, kind)


def _from_json(text: str, kind: ParameterKind) -> str:
    if kind is ParameterKind.DECIMAL:
        return canonical(f"TRY_CAST({text} AS {sql_type(DECIMAL)})", kind)
    if kind is ParameterKind.NUMBER:
        return canonical(f"TRY_CAST({text} AS DOUBLE)", kind)
    return f"nullif({text}, '')"


def _amount(value: str, source: str, currency: str, units: Mapping[str, int]) -> Wire:
    """Major units → minor ones. An amount that would have to be rounded is wrong, and so is an unknown currency."""
    by_digits: dict[int, list[str]] = defaultdict(list)
    for name, digits in units.items():
        by_digits[digits].append(quote_literal(name))
    scale = int(source.rstrip(")").rpartition(",")[2])
    cases, fractions = [], []
    for digits, names in by_digits.items():
        own = f"lower({currency}) IN ({', '.join(names)})"
        exact = f"TRY_CAST({value} AS DECIMAL(18,{digits}))"
        cases.append(f"WHEN {own} THEN CAST({exact} * {10**digits} AS BIGINT)")
        if scale > digits:
            fractions.append(f"({own} AND {value} <> round({value}, {digits}))")
    minor = f"(CASE {' '.join(cases)} END)"
    known = f"coalesce(lower({currency}) IN ({', '.join(quote_literal(name) for name in units)}), FALSE)"
    return Wire(
        f"CAST({minor} AS VARCHAR)",
        (
            Misfit(f"{value} IS NOT NULL AND NOT {known}", "is money of an unknown currency"),
            Misfit(" OR ".join(fractions) or "FALSE", "has fractions of the currency's minor unit"),
            Misfit(f"{value} IS NOT NULL AND {minor} IS NULL", "is too much money"),
        ),
    )


def _list(value: str, source: str) -> Wire:
    made = f"nullif(json({_json(value, source)}), 'null'::JSON)"
    is_list = f"json_type({made}) = 'ARRAY'"
    strange = "lambda part: json_type(part) IN ('ARRAY', 'OBJECT', 'NULL')"
    plain = f"{is_list} AND len(list_filter(json_extract({made}, '$[*]'), {strange})) = 0"
    return Wire(
        f"CAST(CASE WHEN {is_list} THEN nullif({made}, '[]'::JSON) END AS VARCHAR)",
        (Misfit(f"{made} IS NOT NULL AND NOT ({plain})", "is no list of plain values"),),
    )


def _shown_list(name: str) -> str:
    """A list of the mirror as a provider takes it: objects stand there whole, and are given by their ids."""
    by_id = "lambda part: CASE WHEN json_type(part) = 'OBJECT' THEN json_extract(part, '$.id') ELSE part END"
    parts = f"to_json(list_transform(json_extract(json({name}), '$[*]'), {by_id}))"
    return f"CAST(CASE WHEN json_type({name}) = 'ARRAY' THEN nullif({parts}, '[]'::JSON) END AS VARCHAR)"


def _unix_time(value: str, source: str) -> Wire:
    made = cast(value, source, ColumnType(Kind.TIMESTAMP))
    finite = f"CASE WHEN isfinite({made.value}) THEN {made.value} END"
    seconds = f"epoch({finite})"
    endless = Misfit(f"NOT isfinite({made.value})", "is not a timestamp that can be sent")
    fraction = Misfit(f"{seconds} <> trunc({seconds})", "has fractions of a second: use date_trunc('second', …)")
    return Wire(f"CAST(CAST(trunc({seconds}) AS BIGINT) AS VARCHAR)", (*made.misfits, endless, fraction))


def _json(value: str, source: str) -> str:
    return value if source == "JSON" else f"to_json({value})"
