"""Types of the definition language, as DuckDB writes them."""

from __future__ import annotations

import re
from typing import Final

from engine.relation import BOOLEAN, DATE, FLOAT, INTEGER, JSON, MAP, TEXT, TIMESTAMP, ColumnType, Kind

_PLAIN: Final = {
    Kind.TEXT: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.FLOAT: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.JSON: "JSON",
    Kind.MAP: "MAP(VARCHAR, VARCHAR)",
}
_COLUMN_TYPES: Final = {
    "BIGINT": INTEGER,
    "INTEGER": INTEGER,
    "SMALLINT": INTEGER,
    "TINYINT": INTEGER,
    "UINTEGER": INTEGER,
    "USMALLINT": INTEGER,
    "UTINYINT": INTEGER,
    "HUGEINT": ColumnType(Kind.DECIMAL, 38, 0),
    "UHUGEINT": ColumnType(Kind.DECIMAL, 38, 0),
    "UBIGINT": ColumnType(Kind.DECIMAL, 20, 0),
    "DOUBLE": FLOAT,
    "FLOAT": FLOAT,
    "BOOLEAN": BOOLEAN,
    "DATE": DATE,
    "TIMESTAMP": TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": TIMESTAMP,
    "TIMESTAMP_S": TIMESTAMP,
    "TIMESTAMP_MS": TIMESTAMP,
    "TIMESTAMP_NS": TIMESTAMP,
    "JSON": JSON,
    "MAP(VARCHAR, VARCHAR)": MAP,
}
_DECIMAL: Final = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")


def sql_type(column: ColumnType) -> str:
    """DuckDB's type for a column; a timestamp is a TIMESTAMP that holds UTC."""
    if column.kind is Kind.LIST:
        return f"{sql_type(column.item or TEXT)}[]"
    if column.kind is Kind.DECIMAL:
        return f"DECIMAL({column.precision},{column.scale})"
    return _PLAIN[column.kind]


def column_type(sql: str) -> ColumnType:
    """The column type nearest to DuckDB's type `sql`: STRUCT, UNION and MAP are json, unknown ones text."""
    if sql.endswith("[]"):
        return ColumnType(Kind.LIST, item=column_type(sql[:-2]))
    if match := _DECIMAL.fullmatch(sql):
        return ColumnType(Kind.DECIMAL, int(match[1]), int(match[2]))
    if known := _COLUMN_TYPES.get(sql):
        return known
    if sql.startswith(("STRUCT(", "MAP(", "UNION(")):
        return JSON
    return TEXT
