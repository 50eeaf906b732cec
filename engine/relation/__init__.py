"""Relations: columns, their types, and whether types and values fit into a column."""

from .fit import Fit, fit
from .types import BOOLEAN, DATE, FLOAT, INTEGER, JSON, MAP, TEXT, TIMESTAMP, Column, ColumnType, Kind, Relation
from .values import as_text

__all__ = [
    "BOOLEAN",
    "DATE",
    "FLOAT",
    "INTEGER",
    "JSON",
    "MAP",
    "TEXT",
    "TIMESTAMP",
    "Column",
    "ColumnType",
    "Fit",
    "Kind",
    "Relation",
    "as_text",
    "fit",
]
