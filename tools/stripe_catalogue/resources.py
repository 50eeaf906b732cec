"""Resource classes of the SDK → `Resource`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from engine.connectors.stripe.catalogue.model import Field, FieldType, Resource
from tools.stripe_catalogue import facts
from tools.stripe_catalogue.shapes import SdkShape, SdkShapes
from tools.stripe_catalogue.source import ClassRef, assignments, constant_of, literal_mapping

_NOT_FIELDS = frozenset({"OBJECT_NAME", "LOOKUP_TYPE"})
_PLAIN: dict[str, FieldType] = {
    "text": FieldType.TEXT,
    "enum": FieldType.ENUM,
    "integer": FieldType.INTEGER,
    "number": FieldType.NUMBER,
    "boolean": FieldType.BOOLEAN,
    "decimal": FieldType.DECIMAL,
    "list": FieldType.LIST,
    "expandable": FieldType.REFERENCE,
    "list_object": FieldType.SUBLIST,
}
_EPOCH = re.compile(r"unix epoch|unix timestamp|epoch seconds|timestamp", re.IGNORECASE)
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Member:
    """An annotated name in a class's body: its shape and its documentation."""

    name: str
    shape: SdkShape
    text: str


@dataclass(slots=True)
class _Found:
    expandable: dict[str, None] = field(default_factory=dict)
    sublists: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_resources(shapes: SdkShapes) -> dict[str, Resource]:
    """Every resource class of the SDK, ordered by name."""
    found: dict[str, Resource] = {}
    for module_name in shapes.source.names(containing="OBJECT_NAME"):
        module = shapes.source.module(module_name)
        for node in module.classes.values() if module else ():
            name = constant_of(node, "OBJECT_NAME")
            if name and node.name not in facts.ENVELOPES:
                found[name] = _resource(shapes, name, ClassRef(module_name, (), node))
    return dict(sorted(found.items()))


def members(shapes: SdkShapes, cls: ClassRef) -> Iterator[Member]:
    """The fields of a class by JSON name, inherited ones first."""
    for base in cls.node.bases:
        if isinstance(base, ast.Name) and (parent := _own_base(shapes, cls, base.id)):
            yield from members(shapes, parent)
    renamed = literal_mapping(assignments(cls.node).get("_field_remappings"))
    body = cls.node.body
    for position, node in enumerate(body):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)) if name not in _NOT_FIELDS and not name.startswith("_"):
                if _is_class_variable(node.annotation):
                    continue
                shape = shapes.of(node.annotation, cls.module, cls.inner)
                yield Member(str(renamed.get(name, name)), shape, _text_after(body, position))


def _own_base(shapes: SdkShapes, cls: ClassRef, name: str) -> ClassRef | None:
    """A base class of the same module that has fields; mixins of the SDK have none."""
    module = shapes.source.module(cls.module)
    node = module.classes.get(name) if module else None
    return ClassRef(cls.module, (), node) if node is not None and node is not cls.node else None


def _is_class_variable(node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "ClassVar"


def _text_after(body: list[ast.stmt], position: int) -> str:
    following = body[position + 1] if position + 1 < len(body) else None
    match following:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return " ".join(text.split())
    return ""


def _resource(shapes: SdkShapes, name: str, cls: ClassRef) -> Resource:
    encodings = literal_mapping(assignments(cls.node).get("_field_encodings"))
    fields: list[Field] = []
    shown_object = name
    deletable = False
    for member in members(shapes, cls):
        if member.name == "deleted":
            deletable = True
            continue
        if member.name == "object" and member.shape.values:
            shown_object = member.shape.values[0]
        fields.append(_field(shapes, name, member, encodings.get(member.name)))
    found = _Found()
    _walk(shapes, cls, "", found, (cls.key,))
    included = facts.INCLUDABLE.get(name, frozenset())
    return Resource(
        name=name,
        object=shown_object,
        fields=tuple(sorted((_marked(each, included) for each in fields), key=lambda each: each.name)),
        expandable=tuple(sorted(found.expandable)),
        sublists=dict(sorted(found.sublists.items())),
        deletable=deletable,
        id_prefix=facts.ID_PREFIXES.get(name),
    )


def _marked(field_: Field, included: frozenset[str]) -> Field:
    """Mark lists that are present only if expanded."""
    return replace(field_, includable=True) if field_.name in included else field_


def _field(shapes: SdkShapes, resource: str, member: Member, encoding: object) -> Field:
    shape = member.shape
    kind = _type(shapes, shape)
    if kind is FieldType.INTEGER and encoding == "int64_string":
        kind = FieldType.INTEGER_TEXT
    elif kind is FieldType.INTEGER and _is_time(resource, member):
        kind = FieldType.TIMESTAMP
    elif kind is FieldType.TEXT and resource.startswith("v2.") and facts.V2_TIME.search(member.name):
        kind = FieldType.DATETIME
    values = shape.values if kind is FieldType.ENUM else ()
    return Field(member.name, kind, shape.nullable, values, _targets(shapes, shape))


def _type(shapes: SdkShapes, shape: SdkShape) -> FieldType:
    if shape.kind in _PLAIN:
        return _PLAIN[shape.kind]
    if shape.kind == "map":
        return FieldType.MAP if shape.item is not None and shape.item.kind == "text" else FieldType.OBJECT
    if shape.kind == "object":
        return FieldType.RESOURCE if shapes.resources(shape) else FieldType.OBJECT
    if shape.kind == "union":
        kinds = {part.kind for part in shape.parts}
        if kinds == {"object"}:
            return FieldType.RESOURCE if shapes.resources(shape) else FieldType.OBJECT
        if kinds <= {"text", "enum", "object"} and "object" in kinds and shapes.resources(shape):
            return FieldType.REFERENCE
    return FieldType.ANY


def _targets(shapes: SdkShapes, shape: SdkShape) -> tuple[str, ...]:
    inner = shape.item if shape.kind in ("expandable", "list_object", "list") else shape
    if inner is not None and inner.kind == "expandable":
        inner = inner.item
    return shapes.resources(inner)


def _is_time(resource: str, member: Member) -> bool:
    if (resource, member.name) in facts.NOT_TIMES:
        return False
    return bool(facts.TIME_NAMES.search(member.name) or _EPOCH.search(member.text))


def _walk(shapes: SdkShapes, cls: ClassRef, path: str, found: _Found, above: tuple[tuple[str, str], ...]) -> None:
    """Collect expandable paths and sublists of a class and its nested parts, but not of other resources."""
    for member in members(shapes, cls):
        for part in member.shape.alternatives():
            _descend(shapes, part, f"{path}{member.name}", found, above)


def _descend(shapes: SdkShapes, shape: SdkShape, path: str, found: _Found, above: tuple[tuple[str, str], ...]) -> None:
    if shape.kind == "expandable":
        found.expandable[path] = None
    elif shape.kind == "list_object":
        found.sublists[path] = shapes.resources(shape.item)
    elif shape.kind == "list" and shape.item is not None:
        for part in shape.item.alternatives():
            _descend(shapes, part, f"{path}[]", found, above)
    elif shape.kind == "object" and shape.cls is not None:
        nested = shapes.resource_of(shape.cls) is None and shape.cls.key not in above
        if nested and len(above) <= _MAX_DEPTH:
            _walk(shapes, shape.cls, f"{path}.", found, (*above, shape.cls.key))
