"""Compiles exports: which objects, by what they are told, what is written, and whether it may be."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from engine.connector import RETIREMENTS, Effect, Entity, Parameter, Shown, Targets, Verb, find_parameter
from engine.diagnostics import Place, did_you_mean
from engine.project import Interface, ResolvedStep
from engine.spec import CapsSpec, ConnectionSpec, ExportSpec, WriteMapSpec

from ..box_compiler import Boxes
from ..types import Box, Caps, EntityFacts, Export, ExportAction, MatchColumn, WriteColumn
from .writing import Columns

_USES: Mapping[ExportAction, tuple[str, ...]] = {
    ExportAction.INSERT: ("create",),
    ExportAction.UPDATE: ("update",),
    ExportAction.UPSERT: ("create", "update"),
    ExportAction.DELETE: (),
}


@dataclass(frozen=True, slots=True)
class Earlier:
    """The steps before one, in its interface: `refs` are exports with how many columns each matches by."""

    refs: Mapping[str, int]
    steps: Collection[str]


def compile_export(
    interface: Interface, step: ResolvedStep, part: ExportSpec, box: Box, boxes: Boxes, earlier: Earlier
) -> Export | None:
    """The export, or None after saying why there is none."""
    targets = targets_of(step, boxes)
    entity = _entity(part, targets, step.place, boxes) if targets is not None else None
    if entity is None or step.connection is None:
        return None
    action = ExportAction(part.action)
    verbs = _verbs(part, action, entity, step.place, boxes)
    if verbs is None:
        return None
    first = next((verb for use, verb in verbs if use in ("create", "update")), None)
    columns = Columns(
        place=step.place.at("map"),
        targets=first.name if first is not None else entity.name,
        parameters=_all_parameters(entity, action),
        relation=box.bound.relation,
        boxes=boxes,
        refs=earlier.refs,
        steps=earlier.steps,
        see=entity.see,
        immutable=entity.immutable if action is not ExportAction.INSERT else frozenset(),
        others=entity.create.parameters if entity.create is not None and action is ExportAction.UPSERT else (),
    )
    mapped = columns.of(part.map) if action is not ExportAction.DELETE else ()
    match = _match(part, entity, columns, step.place)
    if match is None:
        return None
    if part.on_missing == "archive":
        mapped = (*mapped, *_reviving(mapped, entity))
    if action in (ExportAction.INSERT, ExportAction.UPSERT):
        mapped = (*_identifying(match, mapped, entity, columns), *mapped)
        _check_required(part, entity, mapped, match, step.place, boxes)
    if action is ExportAction.UPSERT:
        mapped = tuple(_by_form(column, entity) for column in mapped)
    _check_columns(mapped, action, step.place, boxes)
    check_grants(step.connection.spec, entity.name, [verb for _, verb in verbs], step.place.at("entity"), boxes)
    return Export(
        id=f"{interface.name}.{step.name}",
        interface=interface.name,
        name=step.name,
        connection=step.connection.name,
        box=box,
        entity=entity.name,
        action=action,
        match=match,
        columns=mapped,
        on_missing=part.on_missing,
        verbs=tuple((use, _slim(verb)) for use, verb in verbs),
        facts=_facts(entity, mapped),
        caps=caps_of(part.caps),
        on_error=step.spec.on_error,
        on_empty=step.spec.on_empty,
        origin=step.place,
        after=(),
    )


def targets_of(step: ResolvedStep, boxes: Boxes) -> Targets | None:
    """What can be written through the step's connection; None after saying that nothing can be."""
    if step.connection is None:
        return None
    catalogue = boxes.catalogues.get(step.connection.name)
    if catalogue is None:
        return None
    if step.connection.spec.accounts is not None:
        hint = "give the exports a connection of their own, without `accounts`"
        message = f"`{step.connection.name}` reads connected accounts, and writes cannot say to which one they go"
        boxes.collector.report("E441", message, step.place.at("connection"), hint=hint)
        return None
    if catalogue.targets is None:
        message = f"nothing can be written with the connector `{step.connection.spec.connector}`"
        boxes.collector.report("E430", message, step.place.at("connection"))
    return catalogue.targets


def caps_of(caps: CapsSpec) -> Caps:
    """The bounds of a step."""
    return Caps(caps.max_writes, caps.max_deletes, caps.max_error_share)


def check_grants(spec: ConnectionSpec, entity: str, verbs: Collection[Verb], place: Place, boxes: Boxes) -> None:
    """Report what the connection does not allow. Live mode is known for sure only when the key is."""
    where = f"in the connection `{spec.name}`"
    if entity not in spec.grants.write:
        hint = f"add it {where}, if that is meant: `grants: {{write: [{entity}]}}`"
        boxes.collector.report("E437", f"`{spec.name}` may not write `{entity}`", place, hint=hint)
    if any(verb.effect is Effect.MONEY for verb in verbs) and not spec.grants.moves_money:
        names = ", ".join(f"`{verb.name}`" for verb in verbs if verb.effect is Effect.MONEY)
        hint = f"allow it {where}, if that is meant: `grants: {{moves_money: true}}`"
        boxes.collector.report("E437", f"{names} may move money, and `{spec.name}` may not", place, hint=hint)
    if spec.mode == "live" and not spec.grants.live:
        hint = f"allow it {where}, if that is meant: `grants: {{live: true}}`"
        boxes.collector.report("E437", f"`{spec.name}` is in live mode and may not write there", place, hint=hint)


def _entity(part: ExportSpec, targets: Targets, place: Place, boxes: Boxes) -> Entity | None:
    found = targets.entity(part.entity)
    if found is None:
        hint = did_you_mean(part.entity, targets.entities()) or "`weir catalog --writes` lists what can be written"
        boxes.collector.report("E430", f"`{part.entity}` cannot be written", place.at("entity"), hint=hint)
    return found


def _verbs(
    part: ExportSpec, action: ExportAction, entity: Entity, place: Place, boxes: Boxes
) -> tuple[tuple[str, Verb], ...] | None:
    """(use, verb) for all that the export may come to do; None after saying what cannot be done."""
    found: list[tuple[str, Verb]] = []
    retire = "delete" if action is ExportAction.DELETE else part.on_missing
    wanted = {"create": entity.create, "update": entity.update}
    for use in _USES[action]:
        verb = wanted[use]
        if verb is None and action is ExportAction.UPSERT and use == "update" and entity.create is not None:
            continue  # what cannot be changed is replaced, or refused row by row
        if verb is None:
            can = [name for name, each in wanted.items() if each is not None] + list(entity.retire)
            hint = f"what can be done: {', '.join(can)}"
            boxes.collector.report("E431", f"`{entity.name}` have no {use}", place.at("action"), hint=hint)
            return None
        found.append((use, verb))
    if retire != "keep":
        verb = entity.retire.get(retire)
        if verb is None:
            here = place.at("action") if action is ExportAction.DELETE else place.at("on_missing")
            ways = ", ".join(f"`{way}`" for way in RETIREMENTS if way in entity.retire)
            hint = f"they can be done away with by {ways}" if ways else "they stay for good: use `on_missing: keep`"
            boxes.collector.report("E431", f"`{entity.name}` have no {retire}", here, hint=hint)
            return None
        found.append(("retire", verb))
    by_id = "id" in part.match  # a second object cannot have the id of the first
    if action is ExportAction.UPSERT and "archive" in entity.retire and entity.immutable and not by_id:
        found.append(("replace", entity.retire["archive"]))
    return tuple(found)


def _all_parameters(entity: Entity, action: ExportAction) -> tuple[Parameter, ...]:
    """What may be mapped: what the verbs take that the action may come to use. An update's form of one comes first."""
    create = entity.create.parameters if entity.create is not None and action is not ExportAction.UPDATE else ()
    update = entity.update.parameters if entity.update is not None and action is not ExportAction.INSERT else ()
    by_name = {each.name: each for each in (*create, *update)}
    required = {each.name for each in create if each.required}
    return tuple(replace(each, required=each.name in required) for _, each in sorted(by_name.items()))


def _by_form(column: WriteColumn, entity: Entity) -> WriteColumn:
    """The column, with when it is taken: a part of a parameter may be known to the create only, or the update only."""
    create = entity.create.parameters if entity.create is not None else ()
    update = entity.update.parameters if entity.update is not None else ()
    made = isinstance(find_parameter(create, column.path), Parameter)
    changed = isinstance(find_parameter(update, column.path), Parameter)
    return replace(column, immutable=column.immutable or not changed, on_create=made)


def _match(part: ExportSpec, entity: Entity, columns: Columns, place: Place) -> tuple[MatchColumn, ...] | None:
    found = []
    for path, name in part.match.items():
        key, here = place.key("match", path), place.at("match", path)
        shown = Shown("id") if path == "id" else entity.see(path)
        if shown is None:
            hint = "match by what objects show: `id`, `metadata[…]`, `lookup_key`, or a plain field"
            columns.collector.report("E436", f"`{entity.name}` do not show `{path}`", key, hint=hint)
            continue
        source = columns.source(name, here)
        if source is not None:
            found.append(MatchColumn(path, source.name, shown))
    return tuple(found) if len(found) == len(part.match) else None


def _identifying(
    match: tuple[MatchColumn, ...], mapped: tuple[WriteColumn, ...], entity: Entity, columns: Columns
) -> tuple[WriteColumn, ...]:
    """What an object must be made with, so that it is found again by what it is matched by."""
    found = []
    taken = entity.create.parameters if entity.create is not None else ()
    for each in match:
        if any(column.path == each.path for column in mapped):
            continue
        parameter = find_parameter(taken, each.path)
        if isinstance(parameter, Parameter):
            column = columns.of({each.path: WriteMapSpec.model_validate({"from": each.source})})
            found += list(column)
    return tuple(found)


def _reviving(mapped: tuple[WriteColumn, ...], entity: Entity) -> tuple[WriteColumn, ...]:
    """What takes an object out of the archive again when its row comes back."""
    fixed = entity.retire["archive"].fixed
    update = entity.update.parameters if entity.update is not None else ()
    found = []
    for path, archived in fixed.items():
        parameter = find_parameter(update, path)
        if isinstance(parameter, Parameter) and not any(column.path == path for column in mapped):
            alive = "FALSE" if archived == "true" else "TRUE"
            found.append(WriteColumn(path, parameter, default=alive, shown=entity.see(path)))
    return tuple(found)


def _check_required(
    part: ExportSpec,
    entity: Entity,
    mapped: tuple[WriteColumn, ...],
    match: tuple[MatchColumn, ...],
    place: Place,
    boxes: Boxes,
) -> None:
    """Objects cannot be made without what their create demands, nor found again without what they are matched by."""
    here = place.key("map") if part.map else place.at("entity")
    heads = {column.path.partition("[")[0] for column in mapped} | {path.partition("[")[0] for path in part.map}
    create = entity.create
    missing = [each.name for each in create.parameters if each.required and each.name not in heads] if create else []
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing)
        hint = "map it, or use `action: update` if no object is ever to be made"
        boxes.collector.report("E434", f"`{entity.name}` cannot be made without {listed}", here, hint=hint)
    _check_nested(create, mapped, place, boxes)
    for each in match:
        settable = any(column.path == each.path for column in mapped)
        if not settable and each.path != "id":
            hint = "match by a parameter that the create takes, or use `action: update`"
            message = f"an object that is made here could not be found again by `{each.path}`"
            boxes.collector.report("E436", message, place.key("match", each.path), hint=hint)
        if each.path == "id" and not entity.own_id:
            hint = "ids are given by the provider: match by `metadata[…]`, or use `action: update`"
            boxes.collector.report(
                "E436", f"`{entity.name}` cannot be made with an id", place.key("match", "id"), hint=hint
            )


def _check_nested(create: Verb | None, mapped: tuple[WriteColumn, ...], place: Place, boxes: Boxes) -> None:
    """An object among the parameters is sent whole or not at all."""
    heads = {column.path.partition("[")[0] for column in mapped if "[" in column.path}
    for each in create.parameters if create is not None else ():
        if each.name not in heads:
            continue
        given = {column.path for column in mapped}
        missing = [
            f"{each.name}[{inner.name}]"
            for inner in each.fields
            if inner.required and not any(path.startswith(f"{each.name}[{inner.name}]") for path in given)
        ]
        if missing:
            listed = ", ".join(f"`{name}`" for name in missing)
            first = next(column.path for column in mapped if column.path.startswith(f"{each.name}["))
            boxes.collector.report("E434", f"`{each.name}` needs {listed} too", place.key("map", first), hint="map it")


def _check_columns(mapped: tuple[WriteColumn, ...], action: ExportAction, place: Place, boxes: Boxes) -> None:
    for column in mapped:
        if action is ExportAction.UPDATE and column.shown is None:
            hint = "an update sends what differs, and here nobody can tell: leave it out, or use a `call`"
            message = f"objects do not show `{column.path}`, so it cannot be compared"
            boxes.collector.report("E435", message, place.key("map", column.path), hint=hint)
        elif action is ExportAction.UPSERT and column.shown is None:
            message = f"`{column.path}` is sent when an object is made, and never compared afterwards"
            boxes.collector.report("W406", message, place.key("map", column.path), hint="objects do not show it")


def _facts(entity: Entity, mapped: tuple[WriteColumn, ...]) -> EntityFacts:
    archive = entity.retire.get("archive")
    fixed = next(iter(archive.fixed.items()), None) if archive is not None else None
    handover = entity.handover
    if handover is not None and not any(column.path == handover[1] for column in mapped):
        handover = None
    money = any(column.currency is not None for column in mapped)
    units = tuple(sorted(entity.minor_units.items())) if money else ()
    return EntityFacts(entity.own_id, handover, fixed, entity.lanes, units)


def _slim(verb: Verb) -> Verb:
    """Without the parameters: the columns have those that matter."""
    return replace(verb, parameters=())
