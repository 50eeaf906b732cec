"""What can be written, as `weir catalog` shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from engine.connector import Effect
from engine.diagnostics import plural
from engine.plan import EFFECTS

from .tables import text_table

_TAKEN: Final = {"made": "made", "changed": "changed", "both": "made, changed"}
_FEW_FUNCTIONS: Final = 12


def render_writable(found: Mapping[str, Sequence[Mapping[str, Any]]], width: int | None) -> str:
    """All entities and functions: two tables."""
    blocks = []
    if found["entities"]:
        names = ("entity", "create", "update", "on_missing")
        blocks.append(text_table(names, map(_entity_row, found["entities"]), widest=None, fit=width))
    if found["functions"]:
        names = ("function", "request", "effect", "answers with")
        rows = ((each["name"], each["request"], _effect(each), each["returns"] or "") for each in found["functions"])
        blocks.append(text_table(names, rows, widest=None, fit=width))
    return "\n\n".join(blocks)


def summary_line(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """How many there are, and how to see more of one."""
    entities = len(found["entities"])
    counted = f"{entities:,} {'entity' if entities == 1 else 'entities'}, {plural(len(found['functions']), 'function')}"
    return f"{counted}; `weir catalog ENTITY --writes` and `weir catalog FUNCTION` show one"


def render_entity(found: Mapping[str, Any], *, coloured: bool) -> str:
    """An entity: its verbs, what an export must know, and its parameters."""
    rows = [(each["use"], each["request"] + _fixed(each), _effect(each)) for each in found["verbs"]]
    lines = [_title(found, coloured=coloured), *_entity_facts(found), ""]
    lines += [text_table(("verb", "request", "effect"), rows, widest=None), ""]
    names = ("parameter", "type", "required", "taken when", "compared", "empty clears", "values")
    parameters = [
        (
            each["path"],
            _type(each),
            _required(each),
            _TAKEN[each["taken"]],
            _yes(each["compared"]),
            _yes(each["clears"]),
            ", ".join(each["values"]),
        )
        for each in found["parameters"]
    ]
    lines.append(text_table(names, parameters, widest=None) if parameters else "no such parameters")
    return "\n".join(lines)


def render_function(found: Mapping[str, Any], *, coloured: bool) -> str:
    """A function: what it does, and its parameters."""
    facts = [("request", found["request"]), ("effect", _effect(found))]
    facts.append(("acts on", "the object that `id` names" if found["of_object"] else "no object"))
    facts.append(("answers", f"a row of `{found['returns']}`" if found["returns"] else "with what is no table's row"))
    lines = [_title(found, coloured=coloured), *(f"  {name:<11}{value}" for name, value in facts), ""]
    names = ("parameter", "type", "required", "empty clears", "values")
    parameters = [
        (each["path"], _type(each), _required(each), _yes(each["clears"]), ", ".join(each["values"]))
        for each in found["parameters"]
    ]
    lines.append(text_table(names, parameters, widest=None) if parameters else "no parameters")
    return "\n".join(lines)


def _entity_row(entity: Mapping[str, Any]) -> tuple[str, ...]:
    gone = ", ".join(f"{word} ({_words(effect)})" for word, effect in entity["on_missing"].items())
    return entity["name"], _words(entity["create"]), _words(entity["update"]), gone


def _entity_facts(found: Mapping[str, Any]) -> Iterator[str]:
    ways = ", ".join(found["on_missing"])
    facts = [
        ("on_missing", f"keep{', ' + ways if ways else ''}"),
        ("own id", "may be chosen: map it to `id`" if found["own_id"] else ""),
        ("in order", f"writes of one {' and of one '.join(found['lanes'])}" if found["lanes"] else ""),
        ("functions", _functions(found["functions"])),
    ]
    for name, value in facts:
        if value:
            yield f"  {name:<11}{value}"


def _functions(names: Sequence[str]) -> str:
    more = len(names) - _FEW_FUNCTIONS
    return ", ".join(names[:_FEW_FUNCTIONS]) + (f" and {more} more" if more > 0 else "")


def _title(found: Mapping[str, Any], *, coloured: bool) -> str:
    return click.style(str(found["name"]), bold=True) if coloured else str(found["name"])


def _fixed(verb: Mapping[str, Any]) -> str:
    return "".join(f" {name}={value}" for name, value in verb["fixed"].items())


def _effect(found: Mapping[str, Any]) -> str:
    return _words(found["effect"])


def _words(effect: str | None) -> str:
    return "" if effect is None else EFFECTS[Effect(effect)]


def _type(parameter: Mapping[str, Any]) -> str:
    return f"{parameter['type']}, money" if parameter["money"] else str(parameter["type"])


def _required(parameter: Mapping[str, Any]) -> str:
    with_ = parameter["required"]
    return "" if not with_ else "yes" if with_ == "always" else f"with {with_}"


def _yes(flag: bool) -> str:
    return "yes" if flag else ""
