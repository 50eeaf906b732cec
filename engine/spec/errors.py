"""From pydantic's errors to findings: the key or value that is wrong, in our words, with what was expected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

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
    "step_double": "E210",
    "column_type": "E211",
    "key_column": "E212",
    "key_double": "E212",
    "duration": "E213",
    "schedule": "E213",
    "base_url_plain": "E214",
    "base_url": "E215",
    "map_origin": "E218",
    "track": "E218",
}
_HINTS = {
    "plaintext_secret": "write `client_secret: {env: STRIPE_SECRET_KEY}` and roll the key that stood here",
    "base_url_plain": "use https, or an address of this machine",
}


@dataclass(frozen=True, slots=True)
class _Found:
    """An error with its place in the document: `route` exists up to the last key at most."""

    error: ErrorDetails
    route: Route
    node: Node
    siblings: frozenset[str] = frozenset()
    """The keys that stand beside it."""


def report_errors(
    errors: Iterable[ErrorDetails], model: type[BaseModel], root: Node, place: Place, collector: Collector
) -> None:
    """Report what pydantic found in the document at `place`, one finding a mistake."""
    groups: dict[Route, list[_Found]] = {}
    for error in errors:
        found = _resolve(error, root)
        groups.setdefault(found.route, []).append(found)
    for route, group in groups.items():
        mistyped = [found for found in group if found.error["type"] in _EXPECTED]
        telling = [found for found in group if found not in mistyped]
        if telling and not all(found.error["type"] == "literal_error" for found in telling):
            mistyped = []
        if len(mistyped) + (len(telling) if mistyped else 0) > 1 or (mistyped and not telling):
            _report_type(mistyped, telling, place.at(*route), collector)
            continue
        for found in telling:
            _report_one(found, model, place, collector)


def _resolve(error: ErrorDetails, root: Node) -> _Found:
    """Walk the error's location; parts that pydantic adds for its unions are not in the document and are left out."""
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
    words = list(dict.fromkeys(_EXPECTED[found.error["type"]] for found in mistyped))
    words += [str(found.error["ctx"]["expected"]).replace("'", "`") for found in literals if "ctx" in found.error]
    words = [word for word in words if word != "nothing"] or words
    expected = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
    node = mistyped[0].node
    got = _name_of(node)
    hint = None
    if expected == "text" and isinstance(node, ScalarNode) and node.value is not None:
        hint = "put it in quotes"
    elif got == "nothing":
        hint = "give it a value, or delete the key"
    collector.report("E202", f"expected {expected}, found {got}", place, hint=hint)


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
        collector.report("E216", f"expected {words.format(f'{context[name]:,}')}", here)
    elif kind == "string_pattern_mismatch":
        _report_pattern(found, here, collector)
    elif kind in ("too_short", "string_too_short"):
        collector.report("E216", "expected at least one entry" if kind == "too_short" else "expected some text", here)
    elif kind in ("key_column", "key_double"):
        place_of_name = place.at(*found.route, "key", context["index"])
        names = found.node.entries["columns"].node if isinstance(found.node, MappingNode) else None
        candidates = names.entries if isinstance(names, MappingNode) else ()
        hint = did_you_mean(context["name"], candidates) if kind == "key_column" else "name it once"
        collector.report("E212", found.error["msg"], place_of_name, hint=hint)
    elif kind == "step_double":
        collector.report("E210", found.error["msg"], place.at(*found.route, "steps", context["index"], "name"))
    elif kind in _CUSTOM:
        hint = _HINTS.get(kind)
        collector.report(_CUSTOM[kind], found.error["msg"], here, hint=hint)
    else:
        collector.report("E218", _lowered(found.error["msg"]), here)


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
    allowed = re.findall(r"'([^']*)'", str((found.error.get("ctx") or {}).get("expected", "")))
    written = found.node.text if isinstance(found.node, ScalarNode) else ""
    near = closest(written, allowed, 1)
    fixes = [Fix(f"write `{near[0]}`", here, near[0])] if near else []
    listed = " or ".join(f"`{word}`" for word in allowed)
    collector.report("E203", f"expected {listed}", here, hint=did_you_mean(written, allowed), fixes=fixes)


def _report_pattern(found: _Found, here: Place, collector: Collector) -> None:
    pattern = str((found.error.get("ctx") or {}).get("pattern", ""))
    on_key = "[key]" in found.error["loc"]
    here = Place(here.file, here.route, on="key") if on_key else here
    if pattern.startswith("^[a-z][a-z0-9_]"):
        written = str(found.route[-1]) if on_key else found.node.text if isinstance(found.node, ScalarNode) else ""
        better = re.sub(r"[^a-z0-9]+", "_", written.lower()).strip("_")
        fixes = [Fix(f"write `{better}`", here, better)] if re.fullmatch(pattern, better) else []
        hint = f"for example `{better}`" if fixes else None
        message = "expected a lower_snake name of at most 63 characters that begins with a letter"
        collector.report("E208", message, here, hint=hint, fixes=fixes)
        return
    expected = {
        "^acct_": "an account such as `acct_1abc`",
        "^[^\\\\": "a relative path of a `.sql` file",
        "^(@(": "a cron expression of five fields, such as `*/15 * * * *`",
        "^[a-z_]+(": "a function such as `invoices.finalize`",
    }
    words = next((text for start, text in expected.items() if pattern.startswith(start)), f"text like `{pattern}`")
    collector.report("E218", f"expected {words}", here)


def _keys_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The keys that the model at this location knows; unions are searched for the model that fits."""
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
