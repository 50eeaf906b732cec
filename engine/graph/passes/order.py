"""Orders interfaces: a reader of a table runs after its writers."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from engine.diagnostics import Collector, Label, Place
from engine.project import Interface, Project

from ..types import SCHEMA_NAMESPACE, Call, Export, Import, Respond, StopIf

InterfaceStep = Import | StopIf | Respond | Export | Call


def order_interfaces(
    project: Project, steps: Mapping[str, tuple[InterfaceStep, ...]], collector: Collector
) -> tuple[tuple[str, ...], Mapping[str, frozenset[str]]]:
    """The interfaces in an order in which they can run, and the dependencies of each.

    Reports cycles, and tables that two interfaces write without a dependency between them. Inactive interfaces do not
    run and have no dependencies or dependents.
    """
    steps = {name: own if project.interfaces[name].spec.is_active else () for name, own in steps.items()}
    writers: dict[str, list[str]] = {}
    for name, own in steps.items():
        for table in sorted({into for step in own if (into := table_written(step)) is not None}):
            writers.setdefault(table, []).append(name)
    waits = {name: _waits(name, own, writers) for name, own in steps.items()}
    try:
        order = tuple(
            TopologicalSorter({name: sorted(before) for name, before in sorted(waits.items())}).static_order()
        )
    except CycleError as error:
        _report_cycle(project, error.args[1], collector)
        return tuple(sorted(steps)), {name: frozenset() for name in steps}
    for table, names in sorted(writers.items()):
        _check_writers(table, names, waits, project, collector)
    return order, {name: frozenset(before) for name, before in waits.items()}


def _waits(name: str, steps: tuple[InterfaceStep, ...], writers: Mapping[str, list[str]]) -> set[str]:
    """The interfaces that write a table which this one reads before writing it."""
    found: set[str] = set()
    written: set[str] = set()
    for step in steps:
        for read in step.box.bound.reads:
            if read.namespace == SCHEMA_NAMESPACE and read.need.table not in written:
                found.update(writer for writer in writers.get(read.need.table, ()) if writer != name)
        into = table_written(step)
        if into is not None:
            written.add(into)
    return found


def table_written(step: InterfaceStep) -> str | None:
    """The table of the Schema that a step writes, if any."""
    answer = step.answer if isinstance(step, Call) else step
    return answer.into if isinstance(answer, Import) else None


def _check_writers(
    table: str, names: list[str], waits: Mapping[str, set[str]], project: Project, collector: Collector
) -> None:
    for index, second in enumerate(names):
        for first in names[:index]:
            if _reaches(first, second, waits) or _reaches(second, first, waits):
                continue
            place = _writing_place(project.interfaces[second], table)
            labels = [Label(_writing_place(project.interfaces[first], table), f"`{first}` writes it here")]
            message = f"`{first}` and `{second}` both write `{table}`, in no defined order"
            hint = "write it in one interface with two steps, or make one of them read what the other writes"
            collector.report("E419", message, place, labels=labels, hint=hint)


def _reaches(start: str, goal: str, waits: Mapping[str, set[str]]) -> bool:
    seen: set[str] = set()
    open_names = [start]
    while open_names:
        name = open_names.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            open_names.extend(waits.get(name, ()))
    return False


def _report_cycle(project: Project, cycle: list[str], collector: Collector) -> None:
    shown = " → ".join(f"`{name}`" for name in cycle[::-1])
    place = project.interfaces[cycle[0]].place.at("name")
    hint = "remove one of the reads"
    collector.report("E420", f"these interfaces depend on each other: {shown}", place, hint=hint)


def _writing_place(interface: Interface, table: str) -> Place:
    for step in interface.steps:
        if step.table is not None and step.table.name == table:
            return step.place.at("into")
    return interface.place.at("name")
