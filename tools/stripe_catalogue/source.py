"""The stripe package's source as syntax trees; never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = "stripe"


@dataclass(frozen=True, slots=True)
class ClassRef:
    """A class with its module, enclosing classes (outermost first) and syntax tree."""

    module: str
    scope: tuple[ast.ClassDef, ...]
    node: ast.ClassDef

    @property
    def inner(self) -> tuple[ast.ClassDef, ...]:
        """The scope of names in this class's body."""
        return (*self.scope, self.node)

    @property
    def key(self) -> tuple[str, str]:
        """Module and dotted name; unique per class."""
        return self.module, ".".join(each.name for each in self.inner)


@dataclass(slots=True)
class Module:
    """A module: top-level classes, imports (name → module and name) and assignments."""

    name: str
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    assigned: dict[str, ast.expr] = field(default_factory=dict)

    def add(self, body: list[ast.stmt]) -> None:
        """Add statements, including those below `if TYPE_CHECKING` and `try`."""
        for node in body:
            match node:
                case ast.ImportFrom(module=str(module)):
                    for alias in node.names:
                        self.imports[alias.asname or alias.name] = (module, alias.name)
                case ast.If():
                    self.add(node.body)
                    self.add(node.orelse)
                case ast.Try():
                    self.add(node.body)
                case ast.ClassDef():
                    self.classes[node.name] = node
                case ast.Assign(targets=[ast.Name(id=name)]):
                    self.assigned[name] = node.value


class SdkSource:
    """The modules of the installed package, parsed on first access."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._modules: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """The module with this dotted name, or None if it is not part of the package."""
        if name not in self._modules:
            self._modules[name] = self._parse(name)
        return self._modules[name]

    def names(self, *, containing: str) -> Iterator[str]:
        """Sorted names of the modules that contain these words, except parameter modules."""
        for path in sorted(self._root.rglob("*.py")):
            parts = path.relative_to(self._root).with_suffix("").parts
            if parts[0] != "params" and parts[-1] != "__init__" and containing in path.read_text(encoding="utf-8"):
                yield ".".join((PACKAGE, *parts))

    def resolve(self, module: str, name: str) -> ClassRef | None:
        """The top-level class of `name` in `module`, resolved through imports."""
        found = self.module(module)
        for _ in range(6):
            if found is None:
                return None
            if name in found.classes:
                return ClassRef(found.name, (), found.classes[name])
            if name not in found.imports:
                return None
            origin, name = found.imports[name]
            found = self.module(origin)
        return None

    def constant(self, module: str, name: str) -> str:
        """The string that the module or a class in it assigns to `name`. LookupError if there is none."""
        found = self.module(module)
        if found is not None:
            for values in (found.assigned, *(assignments(node) for node in found.classes.values())):
                value = values.get(name)
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    return value.value
        raise LookupError(f"the SDK has no string {name} in {module}")

    def _parse(self, name: str) -> Module | None:
        head, *rest = name.split(".")
        if head != PACKAGE:
            return None
        path = self._root.joinpath(*rest)
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if not path.is_file():
            return None
        module = Module(name)
        module.add(ast.parse(path.read_text(encoding="utf-8")).body)
        return module


def assignments(node: ast.ClassDef) -> dict[str, ast.expr]:
    """The assignments to plain names in a class body, with or without annotation."""
    found: dict[str, ast.expr] = {}
    for each in node.body:
        match each:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found[name] = value
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = value
    return found


def constant_of(node: ast.ClassDef, name: str) -> str | None:
    """The string that a class assigns to `name`, or None."""
    value = assignments(node).get(name)
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def literal_mapping(node: ast.expr | None) -> dict[str, object]:
    """A dict literal of constants; empty for anything else."""
    if not isinstance(node, ast.Dict):
        return {}
    value = ast.literal_eval(node)
    return {str(key): item for key, item in value.items()}
