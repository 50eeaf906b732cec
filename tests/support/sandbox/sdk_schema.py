"""JSON Schemas of Stripe's objects, read from the source of the installed SDK (its syntax tree; nothing is imported).

Independent of the catalogue on purpose: what the catalogue gets wrong shows here.
"""

from __future__ import annotations

import ast
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
SIMPLE: dict[str, Schema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "Decimal": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"},
    "Any": {},
    "object": {},
}


@cache
def root() -> Path:
    """The folder of the installed SDK."""
    spec = importlib.util.find_spec("stripe")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


class Reader:
    """Reads resource classes into `definitions`, each with the classes nested in it."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}
        self._classes: dict[str, ast.ClassDef] = {}
        self._aliases: dict[str, str] = {}
        self.objects: dict[str, str] = {}
        for path in sorted([*root().glob("_*.py"), *root().glob("*/_*.py")]):
            if "params" in path.parts or "v2" in path.parts or path.name.endswith("_service.py"):
                continue
            prefix = "" if path.parent == root() else path.parent.name + "."
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for part in ast.walk(tree):
                if isinstance(part, ast.ImportFrom) and part.module:
                    package = part.module.removeprefix("stripe").strip(".").rpartition(".")[0]
                    for alias in part.names:
                        if alias.asname:
                            self._aliases[alias.asname] = f"{package}.{alias.name}".lstrip(".")
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    self._classes[prefix + node.name] = node
                    name = self._object_name(node)
                    if name:
                        self.objects[name] = prefix + node.name

    @staticmethod
    def _object_name(node: ast.ClassDef) -> str | None:
        for part in node.body:
            if isinstance(part, ast.AnnAssign) and getattr(part.target, "id", "") == "OBJECT_NAME":
                return part.value.value if isinstance(part.value, ast.Constant) else None
        return None

    def schema(self, name: str) -> Schema:
        """The schema of the objects whose `object` field is `name`."""
        top = self.objects[name]
        self.define(top)
        return {"$ref": f"#/$defs/{top}", "$defs": self.definitions}

    def define(self, name: str) -> None:
        if name not in self.definitions:
            self.definitions[name] = {}
            package = name.split(".")[0] + "." if "." in name else ""
            self.definitions[name] = self.of_class(self._classes[name], [self._classes[name]], package)

    def of_class(self, node: ast.ClassDef, scope: list[ast.ClassDef], package: str) -> Schema:
        properties, required = {}, []
        for part in node.body:
            if not isinstance(part, ast.AnnAssign) or not isinstance(part.target, ast.Name):
                continue
            text = ast.unparse(part.annotation)
            if text.startswith("ClassVar") or part.target.id.startswith("_inner"):
                continue
            properties[part.target.id] = self.of_type(part.annotation, scope, package)
            if not text.startswith("Optional"):
                required.append(part.target.id)
        renamed = self._renamed(node)
        properties = {renamed.get(key, key): value for key, value in properties.items()}
        result: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        result["required"] = [renamed.get(key, key) for key in required]
        return result

    @staticmethod
    def _renamed(node: ast.ClassDef) -> dict[str, str]:
        for part in node.body:
            if isinstance(part, ast.Assign) and getattr(part.targets[0], "id", "") == "_field_remappings":
                return dict(ast.literal_eval(part.value))
        return {}

    def of_type(self, node: ast.expr, scope: list[ast.ClassDef], package: str) -> Schema:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self.of_type(ast.parse(node.value, mode="eval").body, scope, package)
        if isinstance(node, ast.Subscript):
            return self.of_generic(node, scope, package)
        name = ast.unparse(node)
        return SIMPLE[name] if name in SIMPLE else self.of_name(name, scope, package)

    def of_generic(self, node: ast.Subscript, scope: list[ast.ClassDef], package: str) -> Schema:
        def inner(part: ast.expr) -> Schema:
            return self.of_type(part, scope, package)

        match ast.unparse(node.value):
            case "Optional":
                return {"anyOf": [inner(node.slice), {"type": "null"}]}
            case "List":
                return {"type": "array", "items": inner(node.slice)}
            case "Dict" | "UntypedStripeObject":
                value = node.slice.elts[-1] if isinstance(node.slice, ast.Tuple) else node.slice
                return {"type": "object", "additionalProperties": inner(value)}
            case "Literal":
                values = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                return {"enum": [value.value for value in values if isinstance(value, ast.Constant)]}
            case "Union":
                return self.of_union(node, scope, package)
            case "ExpandableField":
                return {"anyOf": [{"type": "string"}, inner(node.slice)]}
            case "ListObject":
                return self.of_list(inner(node.slice))
            case other:
                raise AssertionError(f"unknown generic {other}")

    def of_union(self, node: ast.Subscript, scope: list[ast.ClassDef], package: str) -> Schema:
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        shapes = [self.of_type(part, scope, package) for part in parts]
        known = [shape for shape in shapes if "enum" in shape]
        # `Union[Literal[…], str]` is an open set; the sandbox must use only the known values.
        return known[0] if len(shapes) == 2 and known and {"type": "string"} in shapes else {"anyOf": shapes}

    @staticmethod
    def of_list(item: Schema) -> Schema:
        return {
            "type": "object",
            "required": ["object", "data", "has_more", "url"],
            "properties": {
                "object": {"const": "list"},
                "data": {"type": "array", "items": item},
                "has_more": {"type": "boolean"},
                "url": {"type": "string"},
                "total_count": {"type": "integer"},
            },
            "additionalProperties": False,
        }

    def of_name(self, name: str, scope: list[ast.ClassDef], package: str) -> Schema:
        parts = name.split(".")
        if parts[0] in ("stripe", "datetime"):
            return {}
        for outer in reversed(scope):
            found = _nested(outer, parts)
            if found is not None:
                return self.of_class(found[-1], [*scope, *found], package)
        for candidate in (package + name, name.rstrip("_"), self._aliases.get(name, ""), *self._by_name(name)):
            if candidate in self._classes:
                self.define(candidate)
                return {"$ref": f"#/$defs/{candidate}"}
        if name in ("StripeObject", "UntypedStripeObject"):
            return {"type": "object"}
        raise AssertionError(f"unknown class {name}")

    def _by_name(self, name: str) -> list[str]:
        return sorted(key for key in self._classes if key.rsplit(".", 1)[-1] == name)


def _nested(outer: ast.ClassDef, parts: list[str]) -> list[ast.ClassDef] | None:
    if outer.name == parts[0] and len(parts) > 1:
        return _nested(outer, parts[1:])
    found: list[ast.ClassDef] = []
    node = outer
    for part in parts:
        inner = next((each for each in node.body if isinstance(each, ast.ClassDef) and each.name == part), None)
        if inner is None:
            return None
        found.append(inner)
        node = inner
    return found


@cache
def reader() -> Reader:
    """One reader for all tests: parsing the SDK is slow."""
    return Reader()
