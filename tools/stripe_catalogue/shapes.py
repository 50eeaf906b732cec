"""SdkShapes of the SDK's annotations: `Optional[ExpandableField["Customer"]]` and the like."""

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
class SdkShape:
    """The shape of a value. `cls` is set for objects, `item` for containers, `parts` for unions, `values` for enums."""

    kind: ShapeKind
    nullable: bool = False
    values: tuple[str, ...] = ()
    cls: ClassRef | None = None
    item: SdkShape | None = None
    parts: tuple[SdkShape, ...] = ()

    def alternatives(self) -> tuple[SdkShape, ...]:
        """The parts of a union, or the shape itself."""
        return self.parts if self.kind == "union" else (self,)


_ANY = SdkShape("any")


class SdkShapes:
    """Resolves annotations in the scope of their module and classes."""

    def __init__(self, source: SdkSource) -> None:
        self.source = source

    def of(self, node: ast.expr, module: str, scope: tuple[ast.ClassDef, ...] = ()) -> SdkShape:
        """The shape of an annotation. LookupError for a name that the SDK does not define."""
        match node:
            case ast.Constant(value=None):
                return SdkShape("null")
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
        raise LookupError(f"an annotation of {module} has an unknown form: {ast.unparse(node)}")

    def _named(self, name: str, module: str, scope: tuple[ast.ClassDef, ...]) -> SdkShape:
        for depth in range(len(scope), 0, -1):
            inner = _inner_class(scope[depth - 1], name)
            if inner is not None:
                return SdkShape("object", cls=ClassRef(module, scope[:depth], inner))
        if name in _PLAIN:
            return SdkShape(_PLAIN[name])
        found = self.source.resolve(module, name)
        if found is None:
            raise LookupError(f"{module} refers to {name}, which is not defined")
        return SdkShape("object", cls=found)

    def _dotted(self, node: ast.Attribute, module: str) -> SdkShape:
        head, *rest = ast.unparse(node).split(".")
        found = self.source.resolve(module, head)
        for name in rest:
            inner = _inner_class(found.node, name) if found is not None else None
            found = ClassRef(found.module, found.inner, inner) if found is not None and inner is not None else None
        if found is None:
            raise LookupError(f"{module} refers to {ast.unparse(node)}, which is not defined")
        return SdkShape("object", cls=found)

    def _generic(self, head: str, inside: ast.expr, module: str, scope: tuple[ast.ClassDef, ...]) -> SdkShape:
        arguments = inside.elts if isinstance(inside, ast.Tuple) else [inside]
        if head == "Literal":
            return _literal(arguments)
        parts = tuple(self.of(each, module, scope) for each in arguments)
        if head in _TRANSPARENT:
            return parts[0]
        if head == "Optional":
            return _union((*parts, SdkShape("null")))
        if head == "Union":
            return _union(parts)
        if head in _ARRAYS:
            return SdkShape("list", item=parts[0])
        if head in _MAPS:
            return SdkShape("map", item=parts[-1])
        if head == "ExpandableField":
            return SdkShape("expandable", item=parts[0])
        if head in ("ListObject", "SearchResultObject"):
            return SdkShape("list_object" if head == "ListObject" else "search_result", item=parts[0])
        raise LookupError(f"an annotation of {module} has an unknown generic: {head}")

    def resource_of(self, cls: ClassRef) -> str | None:
        """The resource of a class (its OBJECT_NAME), or None for a nested part."""
        return None if cls.scope else constant_of(cls.node, "OBJECT_NAME")

    def resources(self, shape: SdkShape | None) -> tuple[str, ...]:
        """Sorted names of the resources that a value of this shape can be."""
        if shape is None:
            return ()
        if shape.kind == "union":
            return tuple(sorted({name for part in shape.parts for name in self.resources(part)}))
        name = self.resource_of(shape.cls) if shape.cls else None
        return (name,) if name else ()


def _inner_class(node: ast.ClassDef, name: str) -> ast.ClassDef | None:
    return next((each for each in node.body if isinstance(each, ast.ClassDef) and each.name == name), None)


def _literal(values: list[ast.expr]) -> SdkShape:
    found = [each.value for each in values if isinstance(each, ast.Constant)]
    if all(isinstance(each, bool) for each in found):
        return SdkShape("boolean")
    if all(isinstance(each, int) for each in found):
        return SdkShape("integer")
    return SdkShape("enum", values=tuple(str(each) for each in found))


def _union(parts: tuple[SdkShape, ...]) -> SdkShape:
    """A union without null, duplicates and the `str` of an open enum."""
    flat = [each for part in parts for each in part.alternatives()]
    nullable = any(each.kind == "null" or each.nullable for each in (*parts, *flat))
    flat = list(dict.fromkeys(replace(each, nullable=False) for each in flat if each.kind != "null"))
    if any(each.kind == "enum" and each.values != ("",) for each in flat):
        flat = [each for each in flat if each.kind != "text"]
    if not flat:
        return replace(_ANY, nullable=nullable)
    if len(flat) == 1:
        return replace(flat[0], nullable=nullable)
    return SdkShape("union", nullable=nullable, parts=tuple(flat))
