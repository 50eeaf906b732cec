"""Whether values of one type fit a column of another."""

from __future__ import annotations

from enum import StrEnum

from .types import ColumnType, Kind


class Fit(StrEnum):
    """How a source type fits a target type."""

    SAFE = "safe"  # every value fits unchanged
    CHECKED = "checked"  # checked per value at run time; a value that does not fit is rejected
    NEVER = "never"  # an error in the definition


_SAFE: dict[Kind, frozenset[Kind]] = {
    Kind.TEXT: frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN, Kind.DATE, Kind.TIMESTAMP, Kind.JSON}),
    Kind.JSON: frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN, Kind.LIST, Kind.MAP}),
    Kind.FLOAT: frozenset(),
    Kind.TIMESTAMP: frozenset({Kind.DATE}),
}
_CHECKED: dict[Kind, frozenset[Kind]] = {
    Kind.INTEGER: frozenset({Kind.TEXT, Kind.DECIMAL, Kind.FLOAT, Kind.JSON}),
    Kind.DECIMAL: frozenset({Kind.TEXT, Kind.INTEGER, Kind.FLOAT, Kind.JSON}),
    Kind.FLOAT: frozenset({Kind.TEXT, Kind.INTEGER, Kind.DECIMAL, Kind.JSON}),
    Kind.BOOLEAN: frozenset({Kind.TEXT, Kind.JSON}),
    Kind.DATE: frozenset({Kind.TEXT, Kind.TIMESTAMP}),
    Kind.TIMESTAMP: frozenset({Kind.TEXT}),
    Kind.JSON: frozenset({Kind.TEXT}),
    Kind.LIST: frozenset({Kind.JSON}),
}


def fit(source: ColumnType, target: ColumnType) -> Fit:
    """How values of `source` fit a column of type `target`."""
    if source == target:
        return Fit.SAFE
    if source.kind is Kind.LIST and target.kind is Kind.LIST:
        if source.item is None or target.item is None:
            return Fit.NEVER
        return fit(source.item, target.item)
    if source.kind is Kind.DECIMAL and target.kind is Kind.DECIMAL:
        wide_enough = target.scale >= source.scale and (
            target.precision - target.scale >= source.precision - source.scale
        )
        return Fit.SAFE if wide_enough else Fit.CHECKED
    if source.kind is Kind.INTEGER and target.kind is Kind.DECIMAL and target.precision - target.scale >= 19:
        return Fit.SAFE
    if source.kind in _SAFE.get(target.kind, ()):
        return Fit.SAFE
    if source.kind in _CHECKED.get(target.kind, ()):
        return Fit.CHECKED
    return Fit.NEVER
