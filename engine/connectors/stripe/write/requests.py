"""From a planned write to an HTTP request: method, path with the object's id in it, form parameters."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from engine.connector import (
    ConnectorError,
    Failure,
    FailureKind,
    Parameter,
    ParameterKind,
    WriteRequest,
    find_parameter,
)

from ..catalogue import load_params
from .functions import NamedWrite, named_writes, parameter_of


@dataclass(frozen=True, slots=True)
class HttpWrite:
    """A request, its form parameters in order."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...]


def http_write(request: WriteRequest) -> HttpWrite:
    """The request of a write. `ConnectorError` (request) when it cannot be one."""
    named = named_writes().get(request.target)
    if named is None:
        raise _impossible(f"there is no write `{request.target}`")
    given = dict(request.parameters)
    path = named.write.path
    for placeholder in named.above:
        path = path.replace(f"{{{placeholder}}}", _in_path(given.pop(placeholder, "")))
    if named.object is not None:
        path = path.replace(f"{{{named.object}}}", _in_path(request.object or ""))
    form = tuple(pair for name, text in given.items() for pair in _form(named, name, text))
    return HttpWrite(named.write.method.lower(), path, form)


def _form(named: NamedWrite, name: str, text: str) -> list[tuple[str, str]]:
    """A parameter as form pairs: a list of plain values is one pair a value."""
    params = load_params().get(named.write.key, ())
    found = find_parameter([parameter_of(param, named.write) for param in params if name.startswith(param.name)], name)
    if isinstance(found, Parameter) and found.kind is ParameterKind.LIST and text:
        return [(f"{name}[{index}]", _plain(each)) for index, each in enumerate(json.loads(text))]
    return [(name, text)]


def _plain(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _in_path(text: str) -> str:
    if not text:
        raise _impossible("the id of the object is missing")
    return quote(text, safe="")


def _impossible(message: str) -> ConnectorError:
    return ConnectorError(Failure(FailureKind.REQUEST, message, "this is a mistake in Weir: please report it"))
