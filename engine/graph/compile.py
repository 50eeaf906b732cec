"""Compiles the project to the graph: renders, binds and maps every box, and derives every need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engine.connector import Need, SourceCatalogue
from engine.diagnostics import Collector
from engine.project import BoxText, Connection, Interface, Project, ResolvedStep
from engine.relation import Kind
from engine.spec import CallSpec, ExportSpec, TransformSpec, WriteSpec

from .box_compiler import Boxes
from .fingerprint import fingerprint
from .literals import sql_identifier
from .passes.call import compile_call
from .passes.changed import check_changed
from .passes.export import Earlier, compile_export
from .passes.mapping import check_defaults, map_step
from .passes.order import InterfaceStep, order_interfaces
from .passes.parameters import Given, parameter_values
from .rules import RULES
from .types import SCHEMA_NAMESPACE, Action, Binder, Box, Export, Extract, Graph, Import, Respond, StopIf


def compile_project(
    project: Project,
    catalogues: Mapping[str, SourceCatalogue],
    binder: Binder,
    given: Given,
    collector: Collector,
    by_hand: frozenset[tuple[str, str]] = frozenset(),
) -> Graph:
    """The graph of everything that compiles; errors of the rest are reported.

    `catalogues` are by connection; `given` are the values of parameters that differ from their defaults, and `by_hand`
    are those of them that were passed for this run only.
    """
    check_defaults(project, collector)
    boxes = Boxes(project, catalogues, binder, collector)
    steps: dict[str, tuple[InterfaceStep, ...]] = {}
    unset: list[tuple[str, str]] = []
    for interface in project.interfaces.values():
        values, missing = parameter_values(interface, given, collector)
        unset += missing
        steps[interface.name] = tuple(_steps(interface, _InterfaceValues(interface, values, by_hand), boxes))
    _connection_boxes(project, boxes)
    order, waits = order_interfaces(project, steps, collector)
    for rule in RULES:
        rule(project, collector)
    ordered = _ordered(order, waits, steps)
    return Graph((*_extracts(ordered), *ordered), order, tuple(unset))


@dataclass(frozen=True, slots=True)
class _InterfaceValues:
    """The values of an interface's parameters."""

    interface: Interface
    parameters: Mapping[str, object]
    by_hand: frozenset[tuple[str, str]]

    def scope(self, connection: Connection | None) -> dict[str, object]:
        """The variables of a step's templates."""
        known = {**self.parameters, "parameters": self.parameters, "interface": self.interface.name}
        return {**known, "connection": connection.name} if connection is not None else known

    def untracked(self) -> dict[str, object]:
        """Those that no run advances."""
        specs, name = self.interface.spec.parameters, self.interface.name
        tracked = {each for each, spec in specs.items() if spec.track and (name, each) not in self.by_hand}
        return {each: value for each, value in self.parameters.items() if each not in tracked}


def _steps(interface: Interface, values: _InterfaceValues, boxes: Boxes) -> Iterable[InterfaceStep]:
    """The interface's steps that compile, each with the previous one as its dependency."""
    after: tuple[str, ...] = ()
    names = {step.name for step in interface.steps}
    refs: dict[str, int] = {}
    for step in interface.steps:
        compiled = None if step.broken else _step(interface, step, values, boxes, after, Earlier(refs, names))
        if compiled is not None:
            yield compiled
            after = (compiled.id,)
        if isinstance(compiled, Export):
            refs[step.name] = len(compiled.match)


def _step(
    interface: Interface,
    step: ResolvedStep,
    values: _InterfaceValues,
    boxes: Boxes,
    after: tuple[str, ...],
    earlier: Earlier,
) -> InterfaceStep | None:
    text = step.box or _whole_table(step)
    if text is None:
        return None
    namespaces = _namespaces(step)
    box = boxes.compile(text, values.scope(step.connection), namespaces)
    if box is None or not check_changed(step, box, boxes.collector):
        return None
    address = f"{interface.name}.{step.name}"
    part = step.spec.part(step.spec.kind)
    if step.spec.kind in ("import", "transform") and isinstance(part, WriteSpec):
        made = _import(interface, step, part, box, boxes, after)
        if made is None or not box.bound.changed:
            return made
        return replace(made, fingerprint=fingerprint(made, text.text, values.untracked()))
    if isinstance(part, ExportSpec):
        export = compile_export(interface, step, part, box, boxes, earlier)
        return replace(export, after=after) if export is not None else None
    if isinstance(part, CallSpec):
        call = compile_call(interface, step, part, box, boxes, earlier)
        return replace(call, after=after) if call is not None else None
    if step.spec.kind == "stop_if":
        return StopIf(address, interface.name, step.name, box, step.place, after) if _is_test(box, boxes) else None
    if step.spec.kind == "respond":
        return Respond(address, interface.name, step.name, box, step.place, after)
    return None


def _whole_table(step: ResolvedStep) -> BoxText | None:
    """The box of an export that only names the table to read."""
    if step.source is None:
        return None
    return BoxText(f"SELECT * FROM {SCHEMA_NAMESPACE}.{sql_identifier(step.source.name)}", step.place.at("from"))


def _namespaces(step: ResolvedStep) -> tuple[str, ...]:
    """The namespaces of a box, in order of look-up."""
    if step.connection is None:
        return (SCHEMA_NAMESPACE,)
    if step.spec.kind == "import":
        return (step.connection.name, SCHEMA_NAMESPACE)
    return (SCHEMA_NAMESPACE, step.connection.name)


def _import(
    interface: Interface,
    step: ResolvedStep,
    part: WriteSpec,
    box: Box,
    boxes: Boxes,
    after: tuple[str, ...],
) -> Import | None:
    if step.table is None:
        return None
    mapped = map_step(step, part, step.table, box, boxes)
    return Import(
        id=f"{interface.name}.{step.name}",
        interface=interface.name,
        name=step.name,
        connection=None if isinstance(part, TransformSpec) or step.connection is None else step.connection.name,
        box=box,
        into=step.table.name,
        relation=step.table.relation,
        key=step.table.key,
        action=Action(part.action),
        match=mapped.match,
        mapping=mapped.mapping,
        on_error=step.spec.on_error,
        on_empty=step.spec.on_empty,
        snapshot=step.spec.snapshot,
        origin=step.place,
        after=after,
    )


def _is_test(box: Box, boxes: Boxes) -> bool:
    columns = box.bound.relation.columns
    if len(columns) == 1 and columns[0].type.kind is Kind.BOOLEAN:
        return True
    message = "expected a query with one boolean column for `stop_if`"
    hint = "use a comparison such as `SELECT count(*) = 0 FROM customers`"
    boxes.collector.report("E416", message, box.place, hint=hint)
    return False


def _compared(step: Export) -> Need:
    """The need of an export's comparison: all objects, with the columns that identify them and those it writes."""
    shown = [each.shown.column for each in step.match]
    shown += [column.shown.column for column in step.columns if column.shown is not None]
    archived = [step.facts.archives[0]] if step.facts.archives is not None else []
    return Need(step.entity, tuple(dict.fromkeys(["id", *shown, *archived, *step.facts.lanes])))


def _connection_boxes(project: Project, boxes: Boxes) -> None:
    """Check the boxes of connections that no import has compiled."""
    used = {step.box.place for interface in project.interfaces.values() for step in interface.steps if step.box}
    for connection in project.connections.values():
        if connection.box is not None and connection.box.place not in used:
            values = {"connection": connection.name}
            boxes.compile(connection.box, values, (connection.name, SCHEMA_NAMESPACE))


def _ordered(
    order: Iterable[str], waits: Mapping[str, frozenset[str]], steps: Mapping[str, tuple[InterfaceStep, ...]]
) -> list[InterfaceStep]:
    """All steps in order; the first step of an interface depends on the last steps of the interfaces before it."""
    found: list[InterfaceStep] = []
    for name in order:
        own = steps.get(name, ())
        before = tuple(steps[other][-1].id for other in sorted(waits[name]) if steps.get(other))
        for index, step in enumerate(own):
            found.append(replace(step, after=(*before, *step.after)) if index == 0 and before else step)
    return found


def _extracts(steps: Iterable[InterfaceStep]) -> list[Extract]:
    """One extract for each table that a box reads from a connection, in order of id."""
    needs: dict[tuple[str, str], list[tuple[str, Need]]] = {}
    for step in steps:
        for read in step.box.bound.reads:
            if read.namespace != SCHEMA_NAMESPACE:
                needs.setdefault((read.namespace, read.need.table), []).append((step.id, read.need))
        if isinstance(step, Export):
            needs.setdefault((step.connection, step.entity), []).append((step.id, _compared(step)))
    return [
        Extract(f"{connection}:{table}", connection, table, tuple(listed))
        for (connection, table), listed in sorted(needs.items())
    ]
