"""Turns pydantic's errors into findings: the invalid key or value, and what was expected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from engine.connector.sandbox import SANDBOX
from engine.diagnostics import Collector, Fix, Place, Route, closest, did_you_mean
from engine.source import MappingNode, Node, ScalarNode, SequenceNode

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "`true` or `false`",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
    "none_required": "nothing",
}
_SHORT_FORMS = {"ColumnSpec": "a type or a mapping", "MapSpec": "a column or a mapping"}
"""Models that also accept text in place of a mapping."""
_BOOLEANS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_BOUNDS = {
    "greater_than": ("gt", "more than {}"),
    "greater_than_equal": ("ge", "at least {}"),
    "less_than": ("lt", "less than {}"),
    "less_than_equal": ("le", "at most {}"),
}
_CUSTOM = {
    "plaintext_secret": "E206",
    "secret_reference": "E219",
    "two_boxes": "E209",
    "no_box": "E209",
    "no_step": "E210",
    "two_steps": "E210",
    "duplicate_step": "E210",
    "column_type": "E211",
    "key_columns": "E212",
    "duration": "E213",
    "schedule": "E213",
    "cron": "E213",
    "timezone": "E213",
    "base_url_plain": "E214",
    "base_url": "E215",
    "map_origin": "E218",
    "track": "E218",
}
_HINTS = {
    "plaintext_secret": "write `client_secret: {env: SECRET_KEY}` and roll the exposed key",
    "base_url_plain": "use https, or an address of this machine",
}


@dataclass(frozen=True, slots=True)
class _Found:
    """An error with its place in the document: all of `route` exists, except possibly its last key."""

    error: ErrorDetails
    route: Route
    node: Node
    siblings: frozenset[str] = frozenset()
    """The keys of the same mapping."""


def report_errors(
    errors: Iterable[ErrorDetails], model: type[BaseModel], root: Node, place: Place, collector: Collector
) -> None:
    """Report pydantic's errors for the document at `place`, with one finding per mistake."""
    groups: dict[Route, list[_Found]] = {}
    for error in errors:
        found = _resolve(error, root)
        groups.setdefault(found.route, []).append(found)
    for route, every in groups.items():
        group = [found for found in every if not _follows(found, groups)]
        mistyped = [found for found in group if found.error["type"] in _EXPECTED]
        specific = [found for found in group if found not in mistyped]
        if specific and not all(found.error["type"] == "literal_error" for found in specific):
            mistyped = []
        if len(mistyped) + (len(specific) if mistyped else 0) > 1 or (mistyped and not specific):
            _report_type(mistyped, specific, place.at(*route), collector)
            continue
        for found in specific:
            _report_one(found, model, place, collector)


def _follows(found: _Found, groups: Mapping[Route, object]) -> bool:
    """Whether an error only follows from deeper ones: a list with an invalid entry is not too short, and a mapping with
    one is not meant as a literal."""
    kind = found.error["type"]
    if kind not in ("too_short", "literal_error"):
        return False
    depth = len(found.route)
    deeper = any(len(route) > depth and route[:depth] == found.route for route in groups)
    return deeper and not isinstance(found.node, ScalarNode)


def _resolve(error: ErrorDetails, root: Node) -> _Found:
    """Walk the error's location, skipping the parts that pydantic adds for unions: they are not in the document."""
    route: list[str | int] = []
    node = root
    siblings: frozenset[str] = frozenset()
    parts = list(error["loc"])
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if isinstance(node, MappingNode) and isinstance(part, str):
            if part in node.entries:
                route.append(part)
                siblings = frozenset(node.entries)
                node = node.entries[part].node
            elif last and error["type"] == "missing":
                route.append(part)
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.items):
            route.append(part)
            node = node.items[part]
    return _Found(error, tuple(route), node, siblings)


def _report_type(mistyped: Sequence[_Found], literals: Sequence[_Found], place: Place, collector: Collector) -> None:
    words = list(dict.fromkeys(_expected(found.error) for found in mistyped))
    words += [str(found.error["ctx"]["expected"]).replace("'", "`") for found in literals if "ctx" in found.error]
    words = [word for word in words if word != "nothing"] or words
    expected = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
    node = mistyped[0].node
    got = _name_of(node)
    hint, better = _corrected(node, expected)
    fixes = [Fix(f"write `{better}`", place, better)] if better else []
    collector.report("E202", f"expected {expected}, found {got}", place, hint=hint, fixes=fixes)


def _expected(error: ErrorDetails) -> str:
    model = str((error.get("ctx") or {}).get("class_name", ""))
    return _SHORT_FORMS.get(model) or _EXPECTED[error["type"]]


def _corrected(node: Node, expected: str) -> tuple[str | None, str | None]:
    """How to fix a value of the wrong type: a hint, and the replacement text."""
    if not isinstance(node, ScalarNode):
        return None, None
    if node.value is None:
        return "add a value, or delete the key", None
    if expected == "text":
        return "quote it", f'"{node.text}"'
    if expected == "`true` or `false`" and (word := _BOOLEANS.get(node.text.lower())):
        return f"write `{word}`: YAML 1.2 reads `{node.text}` as text", word
    if expected in ("a whole number", "a number") and re.fullmatch(r"-?[0-9]+", node.text):
        return "remove the quotes", node.text
    return None, None


def _name_of(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    value = node.value
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "`true` or `false`"
    if isinstance(value, int | float):
        return "a number"
    return "text"


def _report_one(found: _Found, model: type[BaseModel], place: Place, collector: Collector) -> None:
    kind = found.error["type"]
    context: dict[str, Any] = found.error.get("ctx") or {}
    here = place.at(*found.route)
    if kind == "extra_forbidden":
        _report_unknown_key(found, model, place, collector)
    elif kind == "missing":
        _report_missing(found, place, collector)
    elif kind == "literal_error":
        _report_literal(found, here, collector)
    elif kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        collector.report("E216", f"expected {words.format(_number(context[name]))}", here)
    elif kind == "string_pattern_mismatch":
        _report_pattern(found, here, collector)
    elif kind in ("too_short", "string_too_short"):
        collector.report("E216", "expected at least one entry" if kind == "too_short" else "expected some text", here)
    elif kind == "key_columns":
        _report_key_columns(found, here, collector)
    elif kind == "duplicate_step":
        collector.report("E210", found.error["msg"], place.at(*found.route, "steps", context["index"], "name"))
    elif kind in _CUSTOM:
        hint = _HINTS.get(kind)
        if kind == "base_url" and isinstance(found.node, ScalarNode):
            hint = did_you_mean(found.node.text, [SANDBOX])
        collector.report(_CUSTOM[kind], found.error["msg"], here, hint=hint)
    else:
        collector.report("E218", _lowered(found.error["msg"]), here)


def _report_key_columns(found: _Found, here: Place, collector: Collector) -> None:
    table = found.node.entries if isinstance(found.node, MappingNode) else {}
    columns = table["columns"].node if "columns" in table else None
    names = table["key"].node if "key" in table else None
    context: dict[str, Any] = found.error.get("ctx") or {}
    for problem in ("unknown", "duplicate"):
        for index in context[problem]:
            item = names.items[index] if isinstance(names, SequenceNode) else None
            name = item.text if isinstance(item, ScalarNode) else ""
            place = here.at("key", index)
            if problem == "duplicate":
                collector.report("E212", f"duplicate column `{name}` in the key", place, hint="remove one of them")
                continue
            known = columns.entries if isinstance(columns, MappingNode) else ()
            collector.report("E212", f"no column `{name}` in this table", place, hint=did_you_mean(name, known))


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:,}"


def _lowered(message: str) -> str:
    text = message.removeprefix("Value error, ").rstrip(".")
    return text[:1].lower() + text[1:]


def _report_unknown_key(found: _Found, model: type[BaseModel], place: Place, collector: Collector) -> None:
    key = str(found.route[-1])
    known = _keys_at(model, found.error["loc"][:-1])
    present = found.siblings
    near = [name for name in closest(key, known, 1) if name not in present]
    spot = place.key(*found.route)
    fixes = [Fix(f"rename it to `{near[0]}`", spot, near[0])] if near else []
    hint = did_you_mean(key, known) or f"known keys: {', '.join(f'`{name}`' for name in known)}"
    collector.report("E201", f"unknown key `{key}`", spot, hint=hint, fixes=fixes)


def _report_missing(found: _Found, place: Place, collector: Collector) -> None:
    key = found.route[-1]
    collector.report("E204", f"missing key `{key}`", place.at(*found.route[:-1]), hint=f"add `{key}:` here")


def _report_literal(found: _Found, here: Place, collector: Collector) -> None:
    expected = str((found.error.get("ctx") or {}).get("expected", ""))
    allowed = [word or number for word, number in re.findall(r"'([^']*)'|(\b\d+\b)", expected)]
    written = found.node.text if isinstance(found.node, ScalarNode) else ""
    near = closest(written, allowed, 1)
    fixes = [Fix(f"write `{near[0]}`", here, near[0])] if near else []
    words = [f"`{word}`" for word in allowed]
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
    collector.report("E203", f"expected {listed}", here, hint=did_you_mean(written, allowed), fixes=fixes)


def _report_pattern(found: _Found, here: Place, collector: Collector) -> None:
    pattern = str((found.error.get("ctx") or {}).get("pattern", ""))
    on_key = "[key]" in found.error["loc"]
    here = Place(here.file, here.route, on="key") if on_key else here
    if pattern.startswith("^[a-z][a-z0-9_]"):
        written = str(found.route[-1]) if on_key else found.node.text if isinstance(found.node, ScalarNode) else ""
        better = re.sub(r"[^a-z0-9]+", "_", written.lower()).strip("_")
        fixes = [Fix(f"write `{better}`", here, better)] if re.fullmatch(pattern, better) else []
        hint = f"use a name such as `{better}`" if fixes else None
        message = "expected a lower_snake name of at most 63 characters that starts with a letter"
        collector.report("E208", message, here, hint=hint, fixes=fixes)
        return
    if pattern.startswith("^(@("):
        collector.report("E213", "expected a cron expression with five fields, such as `*/15 * * * *`", here)
        return
    expected = {
        "^acct_": "an account such as `acct_1abc`",
        "^[^\\\\": "the relative path of a `.sql` file",
        "^[a-z_]+(": "a function such as `invoices.finalize`",
    }
    words = next(
        (text for start, text in expected.items() if pattern.startswith(start)), f"text that matches `{pattern}`"
    )
    collector.report("E218", f"expected {words}", here)


def _keys_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The keys of the model at this location; unions are searched for the model that fits."""
    current: Any = model
    for part in location:
        following = _step(current, part)
        if following is not None:
            current = following
    found = _model_in(current)
    return [field.alias or name for name, field in found.model_fields.items()] if found else []


def _step(current: Any, part: str | int) -> Any:
    model = _model_in(current, direct=True)
    if model is not None:
        for name, field in model.model_fields.items():
            if (field.alias or name) == part:
                return field.annotation
        return None
    return next((argument for argument in get_args(current)[::-1] if _model_in(argument)), None)


def _model_in(annotation: Any, *, direct: bool = False) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if direct and get_origin(annotation) not in (Union, UnionType) and not hasattr(annotation, "__metadata__"):
        return None
    for argument in get_args(annotation):
        if (found := _model_in(argument, direct=direct)) is not None:
            return found
    return None
