"""Compiles calls: the function, its parameters, and the table for its results."""

from __future__ import annotations

from dataclasses import replace

from engine.connector import Function, Parameter, ParameterKind
from engine.diagnostics import did_you_mean
from engine.project import Interface, ResolvedStep
from engine.relation import Relation
from engine.spec import CallSpec, WriteMapSpec, WriteSpec

from ..box_compiler import Boxes
from ..types import Action, Bound, Box, Call, Import, WriteColumn
from .export import Earlier, caps_of, check_grants, targets_of
from .mapping import map_step
from .writing import Columns

OBJECT_ID = "id"
"""The parameter with the id of the object that a function acts on."""


def compile_call(
    interface: Interface, step: ResolvedStep, part: CallSpec, box: Box, boxes: Boxes, earlier: Earlier
) -> Call | None:
    """The call, or None after a report."""
    targets = targets_of(step, boxes)
    if targets is None or step.connection is None:
        return None
    function = targets.function(part.function)
    if function is None:
        here = step.place.at("function")
        hint = did_you_mean(part.function, targets.functions()) or "use `weir catalog --writes` to list them"
        boxes.collector.report("E439", f"no function `{part.function}`", here, hint=hint)
        return None
    entity = function.name.partition(".")[0]
    check_grants(step.connection.spec, entity, [function.verb], step.place.at("function"), boxes)
    columns = _columns(step, part, function, box, boxes, earlier)
    if columns is None:
        return None
    return Call(
        id=f"{interface.name}.{step.name}",
        interface=interface.name,
        name=step.name,
        connection=step.connection.name,
        box=box,
        function=function.name,
        verb=replace(function.verb, parameters=()),
        columns=columns,
        key=_key(step, part, box, boxes),
        returns=function.returns,
        answer=_answer(interface, step, part, function, box, boxes),
        minor_units=tuple(sorted(function.minor_units.items())) if any(c.currency for c in columns) else (),
        caps=caps_of(part.caps),
        on_error=step.spec.on_error,
        on_empty=step.spec.on_empty,
        origin=step.place,
        after=(),
    )


def _columns(
    step: ResolvedStep, part: CallSpec, function: Function, box: Box, boxes: Boxes, earlier: Earlier
) -> tuple[WriteColumn, ...] | None:
    verb = function.verb
    own = (Parameter(OBJECT_ID, ParameterKind.TEXT, required=True),) if verb.of_object else ()
    columns = Columns(
        place=step.place.at("parameters"),
        targets=function.name,
        parameters=(*own, *verb.parameters),
        relation=box.bound.relation,
        boxes=boxes,
        refs=earlier.refs,
        steps=earlier.steps,
        see=lambda _: None,
    )
    entries = dict(part.parameters)
    if verb.of_object and OBJECT_ID not in entries and box.bound.relation.find(OBJECT_ID) is not None:
        entries[OBJECT_ID] = WriteMapSpec.model_validate({"from": OBJECT_ID})
    found = columns.of(entries)
    heads = {path.partition("[")[0] for path in entries}
    missing = [each.name for each in (*own, *verb.parameters) if each.required and each.name not in heads]
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing)
        here = step.place.key("parameters") if part.parameters else step.place.at("function")
        hint = "add it to `parameters`, with a column of the box"
        boxes.collector.report("E434", f"`{function.name}` requires {listed}", here, hint=hint)
        return None
    return found if len(found) == len(entries) else None


def _key(step: ResolvedStep, part: CallSpec, box: Box, boxes: Boxes) -> tuple[str, ...]:
    found = []
    for index, name in enumerate(part.key):
        column = box.bound.relation.find(name)
        if column is None:
            names = box.bound.relation.names
            hint = did_you_mean(name, names) or f"the box returns {', '.join(f'`{each}`' for each in names[:8])}"
            here = step.place.at("key", index)
            boxes.collector.report("E411", f"the box returns no column `{name}`", here, hint=hint)
        else:
            found.append(column.name)
    return tuple(found)


def _answer(
    interface: Interface, step: ResolvedStep, part: CallSpec, function: Function, box: Box, boxes: Boxes
) -> Import | None:
    if part.into is None or step.table is None:
        return None
    catalogue = boxes.catalogues[step.connection.name] if step.connection is not None else None
    table = catalogue.tables.get(function.returns) if catalogue is not None and function.returns is not None else None
    if table is None:
        message = f"`{function.name}` returns no rows of a table"
        boxes.collector.report("E442", message, step.place.at("into"), hint="remove `into`")
        return None
    relation = answer_relation(table.relation, box.bound.relation)
    answers = replace(box, bound=Bound(relation, ()))
    write = WriteSpec(into=part.into, action=part.action, match=part.match, map=part.map)
    mapped = map_step(step, write, step.table, answers, boxes)
    return Import(
        id=f"{interface.name}.{step.name}",
        interface=interface.name,
        name=step.name,
        connection=step.connection.name if step.connection is not None else None,
        box=answers,
        into=step.table.name,
        relation=step.table.relation,
        key=step.table.key,
        action=Action(part.action),
        match=mapped.match,
        mapping=mapped.mapping,
        on_error="stop",
        on_empty="continue",
        snapshot=step.spec.snapshot,
        origin=step.place,
        after=(),
    )


def answer_relation(answered: Relation, row: Relation) -> Relation:
    """The columns of a result: those of the object, then those of the row of the call whose names the object does not
    have."""
    own = (column for column in row if answered.find(column.name) is None)
    return Relation((*answered.columns, *own))
