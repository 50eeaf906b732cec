"""Compiles exports: the objects, the columns that identify them, the values to write, and the grants."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from engine.connector import RETIREMENTS, Effect, Entity, Parameter, Shown, Targets, Verb, find_parameter
from engine.diagnostics import Place, did_you_mean
from engine.project import Interface, ResolvedStep
from engine.spec import CapsSpec, ConnectionSpec, ExportSpec, WriteMapSpec

from ..box_compiler import Boxes
from ..types import Box, Caps, EntityFacts, Export, ExportAction, MatchColumn, Use, WriteColumn
from .writing import Columns

_USES: Mapping[ExportAction, tuple[Use, ...]] = {
    ExportAction.INSERT: (Use.CREATE,),
    ExportAction.UPDATE: (Use.UPDATE,),
    ExportAction.UPSERT: (Use.CREATE, Use.UPDATE),
    ExportAction.DELETE: (),
}


@dataclass(frozen=True, slots=True)
class Earlier:
    """The earlier steps of the interface: `refs` are exports with the number of columns that each matches by."""

    refs: Mapping[str, int]
    steps: Collection[str]


def compile_export(
    interface: Interface, step: ResolvedStep, part: ExportSpec, box: Box, boxes: Boxes, earlier: Earlier
) -> Export | None:
    """The export, or None after a report."""
    targets = targets_of(step, boxes)
    entity = _entity(part, targets, step.place, boxes) if targets is not None else None
    if entity is None or step.connection is None:
        return None
    action = ExportAction(part.action)
    verbs = _verbs(part, action, entity, step.place, boxes)
    if verbs is None:
        return None
    first = next((verb for use, verb in verbs if use in (Use.CREATE, Use.UPDATE)), None)
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
    """The write targets of the step's connection; None if there are none, which is reported."""
    if step.connection is None:
        return None
    catalogue = boxes.catalogues.get(step.connection.name)
    if catalogue is None:
        return None
    if step.connection.spec.accounts is not None:
        hint = "use a separate connection, without `accounts`, for exports"
        message = f"`{step.connection.name}` reads connected accounts: a write has no account to go to"
        boxes.collector.report("E441", message, step.place.at("connection"), hint=hint)
        return None
    if catalogue.targets is None:
        message = f"the connector `{step.connection.spec.connector}` does not support writes"
        boxes.collector.report("E430", message, step.place.at("connection"))
    return catalogue.targets


def caps_of(caps: CapsSpec) -> Caps:
    """The limits of a step."""
    return Caps(caps.max_writes, caps.max_deletes, caps.max_error_share)


def check_grants(spec: ConnectionSpec, entity: str, verbs: Collection[Verb], place: Place, boxes: Boxes) -> None:
    """Report what the connection does not grant. Whether the key is a live key is only known at run time."""
    where = f"in the connection `{spec.name}`"
    if entity not in spec.grants.write:
        hint = f"if intended, add `grants: {{write: [{entity}]}}` {where}"
        boxes.collector.report("E437", f"`{spec.name}` does not grant writes to `{entity}`", place, hint=hint)
    if any(verb.effect is Effect.MONEY for verb in verbs) and not spec.grants.moves_money:
        names = ", ".join(f"`{verb.name}`" for verb in verbs if verb.effect is Effect.MONEY)
        hint = f"if intended, set `grants: {{moves_money: true}}` {where}"
        message = f"{names} may move money, which `{spec.name}` does not grant"
        boxes.collector.report("E437", message, place, hint=hint)
    if spec.mode == "live" and not spec.grants.live:
        hint = f"if intended, set `grants: {{live: true}}` {where}"
        boxes.collector.report("E437", f"`{spec.name}` does not grant writes in live mode", place, hint=hint)


def _entity(part: ExportSpec, targets: Targets, place: Place, boxes: Boxes) -> Entity | None:
    found = targets.entity(part.entity)
    if found is None:
        hint = did_you_mean(part.entity, targets.entities()) or "use `weir catalog --writes` to list the entities"
        boxes.collector.report("E430", f"`{part.entity}` cannot be written", place.at("entity"), hint=hint)
    return found


def _verbs(
    part: ExportSpec, action: ExportAction, entity: Entity, place: Place, boxes: Boxes
) -> tuple[tuple[Use, Verb], ...] | None:
    """(use, verb) for everything that the export may do; None after reporting an unsupported action."""
    found: list[tuple[Use, Verb]] = []
    retire = "delete" if action is ExportAction.DELETE else part.on_missing
    wanted = {Use.CREATE: entity.create, Use.UPDATE: entity.update}
    for use in _USES[action]:
        verb = wanted[use]
        if verb is None and action is ExportAction.UPSERT and use is Use.UPDATE and entity.create is not None:
            continue  # objects that cannot be updated are replaced, or rejected row by row
        if verb is None:
            can = [other.value for other, each in wanted.items() if each is not None] + list(entity.retire)
            hint = f"use one of: {', '.join(can)}"
            boxes.collector.report("E431", f"`{entity.name}` does not support {use}", place.at("action"), hint=hint)
            return None
        found.append((use, verb))
    if retire != "keep":
        verb = entity.retire.get(retire)
        if verb is None:
            here = place.at("action") if action is ExportAction.DELETE else place.at("on_missing")
            ways = ", ".join(f"`{way}`" for way in RETIREMENTS if way in entity.retire)
            hint = f"use {ways}" if ways else "use `on_missing: keep`: these objects cannot be retired"
            boxes.collector.report("E431", f"`{entity.name}` does not support {retire}", here, hint=hint)
            return None
        found.append((Use.RETIRE, verb))
    by_id = "id" in part.match  # a replacement cannot have the id of the original
    if action is ExportAction.UPSERT and "archive" in entity.retire and entity.immutable and not by_id:
        found.append((Use.REPLACE, entity.retire["archive"]))
    return tuple(found)


def _all_parameters(entity: Entity, action: ExportAction) -> tuple[Parameter, ...]:
    """The parameters that may be mapped: those of the verbs that the action may use. The update's form takes
    precedence."""
    create = entity.create.parameters if entity.create is not None and action is not ExportAction.UPDATE else ()
    update = entity.update.parameters if entity.update is not None and action is not ExportAction.INSERT else ()
    by_name = {each.name: each for each in (*create, *update)}
    required = {each.name for each in create if each.required}
    return tuple(replace(each, required=each.name in required) for _, each in sorted(by_name.items()))


def _by_form(column: WriteColumn, entity: Entity) -> WriteColumn:
    """The column with its forms: a part of a parameter may exist only in the create, or only in the update."""
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
            hint = "match by a value that objects return: `id`, `metadata[…]`, `lookup_key`, or a plain field"
            columns.collector.report("E436", f"`{entity.name}` objects do not return `{path}`", key, hint=hint)
            continue
        source = columns.source(name, here)
        if source is not None:
            found.append(MatchColumn(path, source.name, shown))
    return tuple(found) if len(found) == len(part.match) else None


def _identifying(
    match: tuple[MatchColumn, ...], mapped: tuple[WriteColumn, ...], entity: Entity, columns: Columns
) -> tuple[WriteColumn, ...]:
    """The columns that a new object needs so that `match` finds it in the next run."""
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
    """The columns that unarchive an object when its row reappears."""
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
    """Report required parameters of the create that are not mapped, and matches that cannot find a new object."""
    here = place.key("map") if part.map else place.at("entity")
    heads = {column.path.partition("[")[0] for column in mapped} | {path.partition("[")[0] for path in part.map}
    create = entity.create
    missing = [each.name for each in create.parameters if each.required and each.name not in heads] if create else []
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing)
        hint = "map it, or use `action: update` if the step never creates objects"
        boxes.collector.report("E434", f"creating `{entity.name}` requires {listed}", here, hint=hint)
    _check_nested(create, mapped, place, boxes)
    for each in match:
        settable = any(column.path == each.path for column in mapped)
        if not settable and each.path != "id":
            hint = "match by a parameter of the create, or use `action: update`"
            message = f"`{each.path}` cannot find an object that this step creates"
            boxes.collector.report("E436", message, place.key("match", each.path), hint=hint)
        if each.path == "id" and not entity.own_id:
            hint = "match by `metadata[…]`, or use `action: update`: the provider assigns the ids"
            boxes.collector.report(
                "E436", f"`{entity.name}` cannot be created with an id", place.key("match", "id"), hint=hint
            )


def _check_nested(create: Verb | None, mapped: tuple[WriteColumn, ...], place: Place, boxes: Boxes) -> None:
    """Report object parameters that are mapped without all of their required parts."""
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
            message = f"`{each.name}` also requires {listed}"
            boxes.collector.report("E434", message, place.key("map", first), hint="map it")


def _check_columns(mapped: tuple[WriteColumn, ...], action: ExportAction, place: Place, boxes: Boxes) -> None:
    for column in mapped:
        if action is ExportAction.UPDATE and column.shown is None:
            hint = "remove it, or use a `call`: an update sends only values that differ"
            message = f"objects do not return `{column.path}`, so it cannot be compared"
            boxes.collector.report("E435", message, place.key("map", column.path), hint=hint)
        elif action is ExportAction.UPSERT and column.shown is None:
            message = f"`{column.path}` is sent only when an object is created: objects do not return it"
            boxes.collector.report("W406", message, place.key("map", column.path), hint="use a `call` to send it again")


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
    """The verb without its parameters: the columns contain those that are used."""
    return replace(verb, parameters=())
