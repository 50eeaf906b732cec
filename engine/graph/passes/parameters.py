"""Values of parameters: passed, tracked or default, in the declared type."""

from __future__ import annotations

from collections.abc import Mapping

from engine.diagnostics import Collector
from engine.project import Interface
from engine.relation.parameter_values import parameter_value
from engine.spec import ParameterSpec

from ..literals import SqlText

Given = Mapping[tuple[str, str], str]
"""(interface, parameter) → the text of a value from a command line or the run state."""

_SQL_TYPES = {"text": "VARCHAR", "integer": "BIGINT", "float": "DOUBLE", "json": "JSON"}


def parameter_values(
    interface: Interface, given: Given, collector: Collector
) -> tuple[dict[str, object], tuple[tuple[str, str], ...]]:
    """The values for the interface's boxes, and the parameters without a value, which are typed NULLs."""
    values: dict[str, object] = {}
    unset: list[tuple[str, str]] = []
    for name, spec in interface.spec.parameters.items():
        written: object = given.get((interface.name, name), spec.default)
        if written is None:
            unset.append((interface.name, name))
            values[name] = _typed_null(spec)
            continue
        try:
            values[name] = parameter_value(written, spec.column_type)
        except ValueError as error:
            place = interface.place.at("parameters", name)
            here = place if (interface.name, name) in given else place.at("default")
            collector.report("E418", f"`{name}`: {error}", here)
            values[name] = _typed_null(spec)
    return values, tuple(unset)


def _typed_null(spec: ParameterSpec) -> SqlText:
    if spec.type.endswith("[]"):
        return SqlText("(NULL)")
    return SqlText(f"CAST(NULL AS {_SQL_TYPES.get(spec.type, spec.type.upper())})")
