"""Annotations of the SDK as shapes: `Optional[ExpandableField["Customer"]]` and the like."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import Literal

from tools.stripe_catalogue.source import ClassRef, SdkSource, constant_of

ShapeKind = Literal[
    "null", "text", "enum", "integer", "number", "boolean", "decimal", "file", "any",
    "object", "map", "list", "expandable", "list_object", "search_result", "union",
]  # fmt: skip

_PLAIN: dict[str, ShapeKind] = {
    "str": "text",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "Decimal": "decimal",
    "Any": "any",
    "object": "any",
    "UntypedStripeObject": "map",
    "StripeObject": "map",
    "Dict": "map",
    "bytes": "file",
    "IO": "file",
}
_TRANSPARENT = frozenset({"NotRequired", "Required", "ClassVar", "Unpack", "ReadOnly"})
_ARRAYS = frozenset({"List", "list", "Sequence", "Iterable"})
_MAPS = frozenset({"Dict", "dict", "Mapping", "UntypedStripeObject"})


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value may be. `cls` belongs to objects, `item` to containers, `parts` to unions, `values` to enums."""

    kind: ShapeKind
    nullable: bool = False
    values: tuple[str, ...] = ()
    cls: ClassRef | None = None
    item: Shape | None = None
    parts: tuple[Shape, ...] = ()

    def alternatives(self) -> tuple[Shape, ...]:
        """The parts of a union, or the shape itself."""
        return self.parts if self.kind == "union" else (self,)


_ANY = Shape("any")


class Shapes:
    """Reads annotations in the light of the module and classes that they stand in."""

    def __init__(self, source: SdkSource) -> None:
        self.source = source

    def of(self, node: ast.expr, module: str, scope: tuple[ast.ClassDef, ...] = ()) -> Shape:
        """The shape that an annotation means. LookupError for a name that the SDK does not define."""
        match node:
            case ast.Constant(value=None):
                return Shape("null")
            case ast.Constant(value=str(text)):
                return self.of(ast.parse(text.strip(), mode="eval").body, module, scope)
            case ast.BinOp(op=ast.BitOr()):
                return _union((self.of(node.left, module, scope), self.of(node.right, module, scope)))
            case ast.Name(id=name):
                return self._named(name, module, scope)
            case ast.Attribute():
                return self._dotted(node, module)
            case ast.Subscript(value=ast.Name(id=head)):
                return self._generic(head, node.slice, module, scope)
        raise LookupError(f"an annotation of {module} is of an unknown form: {ast.unparse(node)}")

    def _named(self, name: str, module: str, scope: tuple[ast.ClassDef, ...]) -> Shape:
        for depth in range(len(scope), 0, -1):
            inner = _inner_class(scope[depth - 1], name)
            if inner is not None:
                return Shape("object", cls=ClassRef(module, scope[:depth], inner))
        if name in _PLAIN:
            return Shape(_PLAIN[name])
        found = self.source.resolve(module, name)
        if found is None:
            raise LookupError(f"{module} speaks of {name}, which is not to be found")
        return Shape("object", cls=found)

    def _dotted(self, node: ast.Attribute, module: str) -> Shape:
        head, *rest = ast.unparse(node).split(".")
        found = self.source.resolve(module, head)
        for name in rest:
            inner = _inner_class(found.node, name) if found is not None else None
            found = ClassRef(found.module, found.inner, inner) if found is not None and inner is not None else None
        if found is None:
            raise LookupError(f"{module} speaks of {ast.unparse(node)}, which is not to be found")
        return Shape("object", cls=found)

    def _generic(self, head: str, inside: ast.expr, module: str, scope: tuple[ast.ClassDef, ...]) -> Shape:
        arguments = inside.elts if isinstance(inside, ast.Tuple) else [inside]
        if head == "Literal":
            return _literal(arguments)
        parts = tuple(self.of(each, module, scope) for each in arguments)
        if head in _TRANSPARENT:
            return parts[0]
        if head == "Optional":
            return _union((*parts, Shape("null")))
        if head == "Union":
            return _union(parts)
        if head in _ARRAYS:
            return Shape("list", item=parts[0])
        if head in _MAPS:
            return Shape("map", item=parts[-1])
        if head == "ExpandableField":
            return Shape("expandable", item=parts[0])
        if head in ("ListObject", "SearchResultObject"):
            return Shape("list_object" if head == "ListObject" else "search_result", item=parts[0])
        raise LookupError(f"an annotation of {module} has an unknown generic: {head}")

    def resource_of(self, cls: ClassRef) -> str | None:
        """The resource that a class stands for (its OBJECT_NAME), or None for a nested part."""
        return None if cls.scope else constant_of(cls.node, "OBJECT_NAME")

    def resources(self, shape: Shape | None) -> tuple[str, ...]:
        """Names of the resources that a value of this shape may be, sorted."""
        if shape is None:
            return ()
        if shape.kind == "union":
            return tuple(sorted({name for part in shape.parts for name in self.resources(part)}))
        name = self.resource_of(shape.cls) if shape.cls else None
        return (name,) if name else ()


def _inner_class(node: ast.ClassDef, name: str) -> ast.ClassDef | None:
    return next((each for each in node.body if isinstance(each, ast.ClassDef) and each.name == name), None)


def _literal(values: list[ast.expr]) -> Shape:
    found = [each.value for each in values if isinstance(each, ast.Constant)]
    if all(isinstance(each, bool) for each in found):
        return Shape("boolean")
    if all(isinstance(each, int) for each in found):
        return Shape("integer")
    return Shape("enum", values=tuple(str(each) for each in found))


def _union(parts: tuple[Shape, ...]) -> Shape:
    """A union with null, doubles and the `str` beside an open enum taken out."""
    flat = [each for part in parts for each in part.alternatives()]
    nullable = any(each.kind == "null" or each.nullable for each in (*parts, *flat))
    flat = list(dict.fromkeys(replace(each, nullable=False) for each in flat if each.kind != "null"))
    if any(each.kind == "enum" and each.values != ("",) for each in flat):
        flat = [each for each in flat if each.kind != "text"]
    if not flat:
        return replace(_ANY, nullable=nullable)
    if len(flat) == 1:
        return replace(flat[0], nullable=nullable)
    return Shape("union", nullable=nullable, parts=tuple(flat))
