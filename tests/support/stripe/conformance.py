"""Checks writes against the operations and parameters of the SDK, read from its source on demand.

The engine's catalogue is committed; this reads the installed package and is independent of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from engine.connectors.stripe.catalogue.model import Param, ParamType
from tools.stripe_catalogue.__main__ import sdk_root
from tools.stripe_catalogue.operations import SdkRequest, read_operations
from tools.stripe_catalogue.parameters import read_params
from tools.stripe_catalogue.shapes import SdkShapes
from tools.stripe_catalogue.source import SdkSource

_FORMS = {
    ParamType.INTEGER: re.compile(r"-?\d{1,19}"),
    ParamType.NUMBER: re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?"),
    ParamType.DECIMAL: re.compile(r"-?\d+(\.\d{1,12})?"),
    ParamType.BOOLEAN: re.compile(r"true|false"),
}
_PLAIN = (ParamType.TEXT, ParamType.ENUM, ParamType.ANY, *_FORMS)


@dataclass
class Schemas:
    """The operations of the installed SDK by method and path."""

    shapes: SdkShapes
    operations: Sequence[SdkRequest]
    _params: dict[str, tuple[Param, ...]] = field(default_factory=dict)

    def find(self, method: str, path: str) -> SdkRequest | None:
        """The operation of a request; a path with fewer placeholders takes precedence."""
        own = [each for each in self.operations if each.method == method.lower() and _fits(each.path, path)]
        return min(own, key=lambda each: each.path.count("{"), default=None)

    def params(self, operation: SdkRequest) -> tuple[Param, ...]:
        """The parameters of an operation."""
        if operation.name not in self._params:
            self._params[operation.name] = read_params(self.shapes, operation.params)
        return self._params[operation.name]

    def check(self, request: Mapping[str, Any]) -> list[str]:
        """The problems of a request as the sandbox has recorded it."""
        where = f"{request['method']} {request['path']}"
        operation = self.find(request["method"], request["path"])
        if operation is None:
            return [f"{where}: the SDK has no such request"]
        pairs = parse_qsl(request["body"] or request["query"], keep_blank_values=True)
        found = [f"{where}: {problem}" for problem in check_form(self.params(operation), pairs)]
        if request["method"] == "POST" and not request["idempotency_key"]:
            found.append(f"{where}: it has no idempotency key")
        return found


@cache
def read_schemas() -> Schemas:
    """The operations of the installed SDK."""
    root = sdk_root()
    assert root is not None
    shapes = SdkShapes(SdkSource(root))
    return Schemas(shapes, read_operations(shapes))


def check_form(params: Sequence[Param], pairs: Sequence[tuple[str, str]]) -> list[str]:
    """The problems of a form, by the parameters of an operation."""
    names = [name for name, _ in pairs]
    found = [f"`{name}` is given twice" for name in sorted({name for name in names if names.count(name) > 1})]
    tree: dict[str, Any] = {}
    for name, value in pairs:
        here, parts = tree, re.findall(r"[^\[\]]+", name)
        for part in parts[:-1]:
            here = here.setdefault(part, {})
        here[parts[-1]] = value
    return [*found, *_fields(params, tree, "")]


def _fields(params: Sequence[Param], given: Mapping[str, Any], above: str) -> Iterator[str]:
    known = {each.name: each for each in params}
    for name, value in given.items():
        path = f"{above}[{name}]" if above else name
        if name not in known:
            yield f"no parameter `{path}`"
        else:
            yield from _value(known[name], value, path, top=not above)
    yield from (f"`{above}` lacks `{each.name}`" for each in params if each.required and each.name not in given)


def _value(param: Param, value: Any, path: str, *, top: bool) -> list[str]:
    """The problems of a value; empty if one of the forms that the parameter accepts fits."""
    if value == "" and (param.unset or not (param.required and top)):
        return []  # The SDK does not declare for every text that "" clears it.
    tried = [list(_form(each, value, path)) for each in (param, *param.alternatives)]
    return min(tried, key=len)


def _form(param: Param, value: Any, path: str) -> Iterator[str]:
    if param.type in _PLAIN:
        if not isinstance(value, str):
            yield f"`{path}` is one value"
        elif param.values and value not in param.values:
            yield f"`{path}` does not take `{value}`"
        elif param.type in _FORMS and not _FORMS[param.type].fullmatch(value):
            yield f"`{path}`: `{value}` is no {param.type}"
    elif not isinstance(value, dict):
        yield f"`{path}` is no one value"
    elif param.type is ParamType.OBJECT:
        yield from _fields(param.fields, value, path)
    elif param.type is ParamType.LIST:
        if list(value) != [str(number) for number in range(len(value))]:
            yield f"`{path}` has the positions {', '.join(value)}"
        for number, each in value.items():
            yield from _value(param.item, each, f"{path}[{number}]", top=False) if param.item else ()
    elif param.type is ParamType.MAP and not all(isinstance(each, str) for each in value.values()):
        yield f"`{path}` has values that are no text"


def _fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) is not None
