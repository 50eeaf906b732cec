"""Selects the interfaces of a command."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from engine.diagnostics import Collector, did_you_mean
from engine.graph import Graph
from engine.project import Project


def select_interfaces(
    project: Project, patterns: Sequence[str], order: Sequence[str], collector: Collector
) -> list[str]:
    """The interfaces that match the names and globs, in `order`; all of them without patterns.

    A pattern without a match is reported.
    """
    if not patterns:
        return [name for name in order if name in project.interfaces]
    chosen: set[str] = set()
    for pattern in patterns:
        matching = {name for name in project.interfaces if fnmatchcase(name, pattern)}
        if not matching:
            known = ", ".join(f"`{name}`" for name in project.interfaces) or "none"
            hint = did_you_mean(pattern, project.interfaces) or f"interfaces of this project: {known}"
            collector.report("E501", f"no interface `{pattern}`", hint=hint)
        chosen |= matching
    return [name for name in order if name in chosen]


def report_unset(graph: Graph, interfaces: Sequence[str], project: Project, collector: Collector) -> None:
    """Report the parameters without a value that a run of these interfaces needs."""
    for interface, parameter in graph.unset:
        if interface in interfaces and project.interfaces[interface].spec.is_active:
            place = project.interfaces[interface].place.key("parameters", parameter)
            hint = f"pass one with `--param {parameter}=…`, or declare a default"
            collector.report("E502", f"`{parameter}` of `{interface}` has no value", place, hint=hint)
