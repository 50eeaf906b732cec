"""Values on their way to a provider: as the text that is sent, out of a box's row and out of what the mirror shows.

Both sides give the same text for the same value, so that texts can be compared. Empty text is no value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.connector import ParameterKind, Shown
from engine.graph import WriteColumn
from engine.relation import BOOLEAN, FLOAT, INTEGER, TEXT, ColumnType, Kind, Relation

from .casts import Misfit, cast
from .quoting import quote_literal, quote_name
from .types import sql_type

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
    """`text` is SQL for what is sent, NULL where there is no value; `misfits` say when it is wrong."""

    text: str
    misfits: tuple[Misfit, ...]


def wire_text(value: str, source: str, column: WriteColumn, currency: str | None, units: Mapping[str, int]) -> Wire:
    """What is sent for `value`, SQL of DuckDB's type `source`. `currency` is SQL for what an amount is in."""
    parameter = column.parameter
    if parameter.money and source.startswith("DECIMAL(") and currency is not None:
        return _amount(value, currency, units)
    if parameter.kind is ParameterKind.INTEGER and (source == "DATE" or source.startswith("TIMESTAMP")):
        return _instant(value, source)
    if parameter.kind is ParameterKind.LIST:
        return Wire(f"CAST(nullif(json({_json(value, source)}), '[]'::JSON) AS VARCHAR)", ())
    made = cast(value, source, _TYPES.get(parameter.kind, TEXT))
    text = canonical(made.value, parameter.kind)
    if parameter.folded:
        text = f"lower({text})"
    misfits = list(made.misfits)
    if parameter.kind is ParameterKind.ENUM and parameter.values:
        known = ", ".join(quote_literal(each) for each in parameter.values)
        misfits.append(Misfit(f"{text} NOT IN ({known})", f"is none of {', '.join(parameter.values[:12])}"))
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
        return f"CAST(nullif(json({name}), '[]'::JSON) AS VARCHAR)"
    if column.type.kind is Kind.JSON:
        return _from_json(f"({name} ->> '$')", kind)
    return canonical(name, kind)


def _from_json(text: str, kind: ParameterKind) -> str:
    if kind is ParameterKind.DECIMAL:
        return canonical(f"TRY_CAST({text} AS {sql_type(DECIMAL)})", kind)
    if kind is ParameterKind.NUMBER:
        return canonical(f"TRY_CAST({text} AS DOUBLE)", kind)
    return f"nullif({text}, '')"


def _amount(value: str, currency: str, units: Mapping[str, int]) -> Wire:
    """Major units → minor ones. An amount that would have to be rounded is wrong, and so is an unknown currency."""
    by_digits: dict[int, list[str]] = defaultdict(list)
    for name, digits in units.items():
        by_digits[digits].append(quote_literal(name))
    cases = " ".join(f"WHEN lower({currency}) IN ({', '.join(own)}) THEN {10**d}" for d, own in by_digits.items())
    factor = f"(CASE {cases} END)"
    minor = f"(CAST({value} AS DECIMAL(26,8)) * {factor})"
    whole = f"TRY_CAST({minor} AS BIGINT)"
    return Wire(
        f"CAST(CASE WHEN {minor} = trunc({minor}) THEN {whole} END AS VARCHAR)",
        (
            Misfit(f"{value} IS NOT NULL AND {factor} IS NULL", "is money of an unknown currency"),
            Misfit(f"{value} IS NOT NULL AND {minor} <> trunc({minor})", "has fractions of the currency's minor unit"),
        ),
    )


def _instant(value: str, source: str) -> Wire:
    made = cast(value, source, ColumnType(Kind.TIMESTAMP))
    seconds = f"epoch({made.value})"
    fraction = Misfit(f"{seconds} <> trunc({seconds})", "has fractions of a second: use date_trunc('second', …)")
    return Wire(f"CAST(CAST(trunc({seconds}) AS BIGINT) AS VARCHAR)", (*made.misfits, fraction))


def _json(value: str, source: str) -> str:
    return value if source == "JSON" else f"to_json({value})"
