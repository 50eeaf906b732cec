"""Service classes of the SDK → the requests that they make."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tools.stripe_catalogue.shapes import SdkShape, SdkShapes
from tools.stripe_catalogue.source import ClassRef, literal_mapping

_ROOTS = (("stripe._v1_services", "V1Services", "v1"), ("stripe._v2_services", "V2Services", "v2"))
_CALLS = frozenset({"_request", "_request_stream"})
_PATH_PARAM = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class SdkRequest:
    """A method of a service: its request and documentation. `name` is dotted: `v1.charges.capture`."""

    name: str
    method: str
    path: str
    base: str
    params: ClassRef | None
    returns: SdkShape | None
    text: str

    @property
    def verb(self) -> str:
        """The method's own name."""
        return self.name.rsplit(".", 1)[1]

    @property
    def path_params(self) -> tuple[str, ...]:
        """The names in braces of the path, in order."""
        return tuple(_PATH_PARAM.findall(self.path))


def read_operations(shapes: SdkShapes) -> tuple[SdkRequest, ...]:
    """Every request of the SDK's services, unique and ordered by path and method."""
    found: dict[tuple[str, str], SdkRequest] = {}
    for module, service, name in _ROOTS:
        for operation in _service(shapes, module, service, name):
            found.setdefault((operation.path, operation.method), operation)
    return tuple(found[key] for key in sorted(found))


def _service(shapes: SdkShapes, module_name: str, class_name: str, name: str) -> Iterator[SdkRequest]:
    module = shapes.source.module(module_name)
    if module is None or class_name not in module.classes:
        raise LookupError(f"the SDK has no service {class_name} in {module_name}")
    for inner, place in literal_mapping(module.assigned.get("_subservices")).items():
        if isinstance(place, list):
            yield from _service(shapes, str(place[0]), str(place[1]), f"{name}.{inner}")
    cls = module.classes[class_name]
    for node in cls.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            operation = _operation(shapes, ClassRef(module_name, (), cls), node, name)
            if operation is not None:
                yield operation


def _operation(shapes: SdkShapes, service: ClassRef, node: ast.FunctionDef, name: str) -> SdkRequest | None:
    call = next((each for each in ast.walk(node) if isinstance(each, ast.Call) and _is_request(each)), None)
    if call is None:
        return None
    method = call.args[0]
    path = _path(call.args[1])
    if not isinstance(method, ast.Constant) or path is None:
        raise LookupError(f"{service.module}: the request of {node.name} has an unknown form")
    base = next((each.value.value for each in call.keywords if each.arg == "base_address"
                 and isinstance(each.value, ast.Constant)), "api")  # fmt: skip
    return SdkRequest(
        name=f"{name}.{node.name}",
        method=str(method.value),
        path=path,
        base=str(base),
        params=_params_class(shapes, service, node),
        returns=shapes.of(node.returns, service.module) if node.returns is not None else None,
        text=" ".join((ast.get_docstring(node) or "").split()),
    )


def _is_request(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in _CALLS and len(call.args) >= 2


def _path(node: ast.expr) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
            return text
    return None


def _params_class(shapes: SdkShapes, service: ClassRef, node: ast.FunctionDef) -> ClassRef | None:
    for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        if argument.arg == "params" and argument.annotation is not None:
            return shapes.of(argument.annotation, service.module, service.inner).cls
    return None
