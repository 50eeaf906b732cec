"""What a connector can write, for people: entities, functions, and the parameters that each takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from engine.connector import SCALARS, Entity, Parameter, ParameterKind, Targets, Verb
from engine.connector.target import RETIREMENTS
from engine.diagnostics import did_you_mean

from ..errors import Exit, RefusalError
from .catalogue import find_catalogue

Facts = dict[str, Any]
_KEY: Final = "KEY"
"""Stands for any key of a map in a path."""

_ID: Final = "id"
"""The parameter of a call that names the object."""


def list_writable(connector: str, search: str | None = None) -> dict[str, list[Facts]]:
    """`entities` with what an export can do to each, and `functions` that a call can call, in order of name; with
    `search` those with it in their name."""
    targets = _targets(connector)
    wanted = (search or "").casefold()
    entities = [targets.entity(name) for name in targets.entities() if wanted in name.casefold()]
    functions = [targets.function(name) for name in targets.functions() if wanted in name.casefold()]
    return {
        "entities": [_summary(entity) for entity in entities if entity is not None],
        "functions": [
            {
                "name": each.name,
                "request": each.verb.request,
                "effect": each.verb.effect.value,
                "of_object": each.verb.of_object,
                "returns": each.returns,
            }
            for each in functions
            if each is not None
        ],
    }


def describe_entity(connector: str, name: str, search: str | None = None) -> Facts:
    """What an export can do to an entity, and its parameters; with `search` those with it in their path.

    RefusalError with near names when nothing of that name can be written.
    """
    targets = _targets(connector)
    entity = targets.entity(name)
    if entity is None:
        raise _nothing(connector, name, targets)
    own = [each for each in targets.functions() if each.partition(".")[0] == name]
    return {
        "name": entity.name,
        "verbs": [_verb(use, verb) for use, verb in _verbs(entity)],
        "on_missing": [word for word in RETIREMENTS if word in entity.retire],
        "own_id": entity.own_id,
        "lanes": list(entity.lanes),
        "parameters": _found(list(_entity_parameters(entity)), search),
        "functions": own,
    }


def is_function(connector: str, name: str) -> bool:
    """Whether a name is that of a function, or looks like one."""
    catalogue = find_catalogue(connector)
    return name not in catalogue.tables and "." in name and catalogue.targets is not None


def describe_function(connector: str, name: str, search: str | None = None) -> Facts:
    """A function and its parameters; with `search` those with it in their path. RefusalError with near names when
    there is none."""
    targets = _targets(connector)
    found = targets.function(name)
    if found is None:
        raise _nothing(connector, name, targets)
    own = (Parameter(_ID, ParameterKind.TEXT, required=True),) if found.verb.of_object else ()
    parameters = [_facts(*each) for each in _leaves((*own, *found.verb.parameters))]
    return {
        "name": found.name,
        "request": found.verb.request,
        "effect": found.verb.effect.value,
        "of_object": found.verb.of_object,
        "returns": found.returns,
        "parameters": _found(parameters, search),
    }


def _targets(connector: str) -> Targets:
    targets = find_catalogue(connector).targets
    if targets is None:
        raise RefusalError(Exit.USAGE, f"nothing can be written with the connector `{connector}`")
    return targets


def _nothing(connector: str, name: str, targets: Targets) -> RefusalError:

    tables = find_catalogue(connector).tables
    if "." in name:
        head, _, tail = name.partition(".")
        if head not in tables and tail in tables:
            hint = f"`weir catalog {tail}` shows the table"
            return RefusalError(Exit.USAGE, f"`{connector}` has no function `{name}`", hint)
        near = did_you_mean(name, targets.functions())
        own = [each for each in targets.functions() if each.partition(".")[0] == head]
        listed = f"there are {', '.join(f'`{each}`' for each in own)}" if own else None
        hint = near or listed or "`weir catalog --writes` lists all functions"
        return RefusalError(Exit.USAGE, f"`{connector}` has no function `{name}`", hint)
    if name in tables:
        functions = [f"`{each}`" for each in targets.functions() if each.partition(".")[0] == name]
        hint = f"a call can use {', '.join(functions)}" if functions else "`weir catalog --writes` lists what can be"
        return RefusalError(Exit.USAGE, f"`{name}` can be read, and no export can write them", hint)
    hint = did_you_mean(name, targets.entities()) or "`weir catalog --writes` lists what can be written"
    return RefusalError(Exit.USAGE, f"`{connector}` has no entity `{name}`", hint)


def _summary(entity: Entity) -> Facts:
    return {
        "name": entity.name,
        "create": entity.create.effect.value if entity.create is not None else None,
        "update": entity.update.effect.value if entity.update is not None else None,
        "on_missing": {word: entity.retire[word].effect.value for word in RETIREMENTS if word in entity.retire},
    }


def _verbs(entity: Entity) -> Iterator[tuple[str, Verb]]:
    if entity.create is not None:
        yield "create", entity.create
    if entity.update is not None:
        yield "update", entity.update
    for word in RETIREMENTS:
        if word in entity.retire:
            yield word, entity.retire[word]


def _verb(use: str, verb: Verb) -> Facts:
    facts = {"use": use, "name": verb.name, "request": verb.request, "effect": verb.effect.value}
    return facts | {"fixed": dict(verb.fixed)}


def _entity_parameters(entity: Entity) -> Iterator[Facts]:
    """Each parameter once: its form in the create, or in the update where only that takes it. `compared`: objects show
    it, so that a run can tell whether it is to be changed."""
    made = dict(_by_path(entity.create))
    changed = dict(_by_path(entity.update))
    for path in sorted({*made, *changed}):
        taken = "both" if path in made and path in changed else "made" if path in made else "changed"
        parameter, required = made.get(path) or changed[path]
        facts = _facts(path, parameter, required if path in made else "")
        facts["clears"] = changed[path][0].clears if path in changed else False
        yield facts | {"taken": taken, "compared": entity.see(path) is not None}


def _by_path(verb: Verb | None) -> Iterator[tuple[str, tuple[Parameter, str]]]:
    for path, parameter, required in _leaves(verb.parameters if verb is not None else ()):
        yield path, (parameter, required)


def _leaves(
    parameters: Sequence[Parameter], above: str = "", demanded: str = "always"
) -> Iterator[tuple[str, Parameter, str]]:
    """(path, parameter, when it is required) of all that can be mapped. Required: "always", "" (never), or the
    parameter with which it has to be given."""
    for each in parameters:
        path = f"{above}[{each.name}]" if above else each.name
        required = demanded if each.required else ""
        yield from _inside(path, each, required)


def _inside(path: str, parameter: Parameter, required: str) -> Iterator[tuple[str, Parameter, str]]:
    beneath = required if required == "always" else path
    match parameter.kind:
        case ParameterKind.OBJECT if parameter.fields:
            yield from _leaves(parameter.fields, path, beneath)
        case ParameterKind.MAP:
            item = parameter.item or Parameter(_KEY, ParameterKind.TEXT, clears=True, longest=parameter.longest)
            yield from _inside(f"{path}[{_KEY}]", item, "")
        case ParameterKind.LIST if parameter.item is not None and parameter.item.kind not in SCALARS:
            yield from _inside(f"{path}[0]", parameter.item, beneath)
        case _:
            yield path, parameter, required


def _facts(path: str, parameter: Parameter, required: str) -> Facts:
    item = parameter.item
    plain_list = parameter.kind is ParameterKind.LIST and item is not None
    values = item.values if plain_list and item is not None else parameter.values
    return {
        "path": path,
        "type": f"list of {item.kind}" if plain_list and item is not None else str(parameter.kind),
        "money": parameter.money,
        "required": required,
        "values": list(values),
        "clears": parameter.clears,
        "longest": parameter.longest,
    }


def _found(parameters: Sequence[Mapping[str, Any]], search: str | None) -> list[Facts]:
    wanted = (search or "").casefold()
    return [dict(each) for each in parameters if wanted in each["path"].casefold()]
