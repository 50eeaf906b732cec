"""The consequences of a changed interface, or of a changed table of the Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.connector import Need
from engine.graph import SCHEMA_NAMESPACE, Call, Export, Extract, Graph, Import, Step
from engine.project import Interface

from .costs import full_read, tables_read
from .types import Consequence, Edit, Side, Topic
from .writers import described


def consequences(before: Side, after: Side, name: str) -> Iterator[Consequence]:
    """The consequences of an interface's change."""
    old, new = _steps(before.graph, name), _steps(after.graph, name)
    is_active = name in after.project.interfaces and after.project.interfaces[name].spec.is_active
    for step_id, step in new.items():
        if isinstance(step, Export | Call) and _is_other_write(old.get(step_id), step):
            yield Consequence(Topic.WRITES, described(step, after))
    yield from _reads(old, new, before, after)
    yield from _rebuilt(after, name)
    was = before.project.interfaces.get(name)
    yield from _started(was, after.project.interfaces.get(name))
    if new and not is_active:
        yield Consequence(Topic.RISKS, "the interface is inactive and does not run yet")


def is_exposing(before: Side, after: Side, name: str) -> bool:
    """Whether it has writes to a provider that are new or changed."""
    old, new = _steps(before.graph, name), _steps(after.graph, name)
    return any(isinstance(step, Export | Call) and _is_other_write(old.get(key), step) for key, step in new.items())


def box_edits(before: Interface, after: Interface) -> Iterator[Edit]:
    """The changed SQL files of its steps, which the definition itself does not show."""
    old, new = _sql_files(before), _sql_files(after)
    for file, text in new.items():
        if file in old and old[file] != text:
            yield Edit(file, old[file], text)


def _sql_files(interface: Interface) -> dict[str, str]:
    return {
        step.box.place.file: step.box.text
        for step in interface.steps
        if step.box is not None and step.box.place.on == "text"
    }


def table_consequences(after: Side, name: str) -> Iterator[Consequence]:
    """The writers and readers of a table of the Schema whose definition changed."""
    for step in after.graph.steps:
        if isinstance(step, Extract):
            continue
        into = (
            step.into
            if isinstance(step, Import)
            else step.answer.into
            if isinstance(step, Call) and step.answer
            else ""
        )
        if into == name:
            yield Consequence(Topic.READS, f"written by `{step.id}`")
        for read in step.box.bound.reads:
            if (read.namespace, read.need.table) == (SCHEMA_NAMESPACE, name):
                columns = ", ".join(f"`{column}`" for column in read.need.columns)
                yield Consequence(Topic.READS, f"read by `{step.id}`" + (f": {columns}" if columns else ""))


def _steps(graph: Graph, interface: str) -> Mapping[str, Step]:
    return {step.id: step for step in graph.steps if not isinstance(step, Extract) and step.interface == interface}


def _is_other_write(old: Step | None, new: Export | Call) -> bool:
    """Whether the step may send other requests than before."""
    if type(old) is not type(new):
        return True
    if isinstance(old, Export) and isinstance(new, Export):
        ours, theirs = (
            (s.connection, s.entity, s.action, s.match, s.columns, s.on_missing, s.caps) for s in (old, new)
        )
        return ours != theirs
    if isinstance(old, Call) and isinstance(new, Call):
        one, other = ((s.connection, s.function, s.columns, s.key, s.caps) for s in (old, new))
        return one != other
    return True


def _reads(old: Mapping[str, Step], new: Mapping[str, Step], before: Side, after: Side) -> Iterator[Consequence]:
    """The tables and columns of providers that it did not read before."""
    was, now = _columns(old), _columns(new)
    for (connection, table), columns in now.items():
        if connection == SCHEMA_NAMESPACE:
            continue
        fresh = sorted(columns - was.get((connection, table), frozenset()))
        listed = ", ".join(f"`{column}`" for column in fresh)
        if (connection, table) not in was:
            yield Consequence(Topic.READS, f"reads `{connection}.{table}`" + (f": {listed}" if listed else ""))
            if table not in tables_read(before.plan, connection):
                text = f"first read of `{connection}.{table}`: {full_read(after, connection, table)}"
                yield Consequence(Topic.COSTS, text)
        elif fresh:
            yield Consequence(Topic.READS, f"also reads {listed} of `{connection}.{table}`")


def _columns(steps: Mapping[str, Step]) -> dict[tuple[str, str], frozenset[str]]:
    found: dict[tuple[str, str], frozenset[str]] = {}
    for step in steps.values():
        if isinstance(step, Extract):
            continue
        for read in step.box.bound.reads:
            key, need = (read.namespace, read.need.table), read.need
            found[key] = found.get(key, frozenset()) | _needed(need)
    return found


def _needed(need: Need) -> frozenset[str]:
    return frozenset(need.columns)


def _rebuilt(after: Side, name: str) -> Iterator[Consequence]:
    """The steps over changed rows that will read all rows once."""
    for task in after.plan.tasks:
        step = task.step
        if isinstance(step, Import) and step.interface == name:
            for line in task.estimate.now:
                if line.startswith("all rows"):
                    yield Consequence(Topic.COSTS, f"`{step.id}` reads {line}")


def _started(before: Interface | None, after: Interface | None) -> Iterator[Consequence]:
    if after is None:
        return
    was = before.spec if before is not None else None
    if after.spec.triggers.api and not (was is not None and was.triggers.api):
        yield Consequence(Topic.RISKS, "allows everyone with an API token to run it")
    if after.spec.schedule is not None and (was is None or was.schedule is None):
        yield Consequence(Topic.RISKS, "adds a schedule: it runs without a request")
