"""Relations: columns, their types, and whether one fits into another."""

from .fit import Fit, fit
from .types import BOOLEAN, DATE, FLOAT, INTEGER, JSON, MAP, TEXT, TIMESTAMP, Column, ColumnType, Kind, Relation

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
    "fit",
]
