"""Parameter classes of the SDK (typed dictionaries) → `Param` trees and list `Filter`s."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from engine.connectors.stripe.catalogue.model import FieldType, Filter, FilterKind, Param, ParamType
from tools.stripe_catalogue.shapes import SdkShape, SdkShapes
from tools.stripe_catalogue.source import ClassRef

PAGING = frozenset({"limit", "starting_after", "ending_before", "expand", "page"})
_PLAIN: dict[str, ParamType] = {
    "text": ParamType.TEXT,
    "enum": ParamType.ENUM,
    "integer": ParamType.INTEGER,
    "number": ParamType.NUMBER,
    "boolean": ParamType.BOOLEAN,
    "decimal": ParamType.DECIMAL,
    "map": ParamType.MAP,
    "file": ParamType.FILE,
}
_FILTER_TYPES: dict[str, FieldType] = {
    "text": FieldType.TEXT,
    "enum": FieldType.ENUM,
    "integer": FieldType.INTEGER,
    "boolean": FieldType.BOOLEAN,
    "number": FieldType.NUMBER,
}
_RANGE = frozenset({"gt", "gte", "lt", "lte"})


def read_params(shapes: SdkShapes, cls: ClassRef | None) -> tuple[Param, ...]:
    """The parameters of a class by name, with nested ones; without `expand`."""
    if cls is None:
        return ()
    return _params(shapes, cls, (cls.key,))


def _params(shapes: SdkShapes, cls: ClassRef, above: tuple[tuple[str, str], ...]) -> tuple[Param, ...]:
    found = {
        name: replace(_param(shapes, name, shape, above), required=required)
        for name, shape, required in _entries(shapes, cls)
        if name != "expand"
    }
    return tuple(found[name] for name in sorted(found))


def _entries(shapes: SdkShapes, cls: ClassRef) -> Iterator[tuple[str, SdkShape, bool]]:
    """Name, shape and requiredness of every key of a typed dictionary."""
    module = shapes.source.module(cls.module)
    for base in cls.node.bases:
        # Reserved words cannot be annotations: they are in a functional base of the same module.
        declared = module.assigned.get(base.id) if module and isinstance(base, ast.Name) else None
        match declared:
            case ast.Call(args=[_, ast.Dict(keys=keys, values=values)]):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant):
                        yield _entry(shapes, cls, str(key.value), value)
    for node in cls.node.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield _entry(shapes, cls, name, node.annotation)


def _entry(shapes: SdkShapes, cls: ClassRef, name: str, node: ast.expr) -> tuple[str, SdkShape, bool]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        node = ast.parse(node.value.strip(), mode="eval").body
    match node:
        case ast.Subscript(value=ast.Name(id="NotRequired")):
            return name, shapes.of(node, cls.module, ()), False
    return name, shapes.of(node, cls.module, ()), True


def _param(shapes: SdkShapes, name: str, shape: SdkShape, above: tuple[tuple[str, str], ...]) -> Param:
    if shape.kind == "union":
        parts = [part for part in shape.parts if part.values != ("",)]
        first, *others = (_param(shapes, name, part, above) for part in sorted(parts, key=_plainness))
        unset = shape.nullable or len(parts) < len(shape.parts)
        return replace(first, unset=unset, alternatives=tuple(others))
    if shape.kind == "list" and shape.item is not None:
        return Param(name, ParamType.LIST, item=_param(shapes, "", shape.item, above), unset=shape.nullable)
    if shape.kind == "object" and shape.cls is not None:
        # A recursive structure ends at its second level.
        deeper = () if shape.cls.key in above else _params(shapes, shape.cls, (*above, shape.cls.key))
        return Param(name, ParamType.OBJECT, fields=deeper, unset=shape.nullable)
    values = shape.values if shape.kind == "enum" else ()
    return Param(name, _PLAIN.get(shape.kind, ParamType.ANY), values=values, unset=shape.nullable)


def _plainness(shape: SdkShape) -> int:
    """Sort key: objects and lists before scalars, since they describe most."""
    return {"object": 0, "list": 1, "map": 2}.get(shape.kind, 3)


def read_filters(shapes: SdkShapes, cls: ClassRef | None) -> tuple[tuple[Filter, ...], frozenset[str]]:
    """A list's filters by name, with nested ones flattened, and its paging parameters."""
    if cls is None:
        return (), frozenset()
    found: dict[str, Filter] = {}
    paging: set[str] = set()
    for name, shape, required in _entries(shapes, cls):
        if name in PAGING:
            paging.add(name)
            continue
        for each in _filters(shapes, name, shape, required):
            found[each.param] = each
    return tuple(found[name] for name in sorted(found)), frozenset(paging)


def _filters(shapes: SdkShapes, name: str, shape: SdkShape, required: bool) -> Iterator[Filter]:
    parts = [part for part in shape.alternatives() if part.values != ("",)]
    objects = [part.cls for part in parts if part.kind == "object" and part.cls is not None]
    if objects:
        entries = list(_entries(shapes, objects[0]))
        if {entry for entry, _, _ in entries} <= _RANGE:
            text = any(inner.kind == "text" for _, inner, _ in entries)
            yield Filter(name, FilterKind.RANGE, FieldType.DATETIME if text else FieldType.INTEGER, required=required)
            return
        for entry, inner, needed in entries:
            yield from _filters(shapes, f"{name}[{entry}]", inner, required and needed)
        return
    part = parts[0]
    if part.kind == "list" and part.item is not None:
        item = part.item
        values = item.values if item.kind == "enum" else ()
        yield Filter(name, FilterKind.VALUES, _FILTER_TYPES.get(item.kind, FieldType.ANY), values, required)
        return
    values = part.values if part.kind == "enum" else ()
    yield Filter(name, FilterKind.VALUE, _FILTER_TYPES.get(part.kind, FieldType.ANY), values, required)
