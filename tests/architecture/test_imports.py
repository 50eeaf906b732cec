"""What is imported when: faces of packages that import on demand, and imports that stand in functions."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[2] / "engine"
MOST_IN_FUNCTIONS = 4
"""The pages of the Stripe connector, the logger and the watcher of files: next to no verb needs them, and each costs
some tens of milliseconds."""


FACES = [file for file in sorted(ENGINE.rglob("__init__.py")) if "from engine.faces import lazy" in file.read_text()]


def checked_names(face: ast.Module) -> dict[str, str]:
    """What a face imports for the type checker: the module of each name, relative to the package."""
    (block,) = (node for node in face.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: f"{'.' * node.level}{node.module}" for node in imports for alias in node.names}


def lazy_names(face: ast.Module) -> dict[str, str]:
    """What it gives to `lazy`, in the same form."""
    (call,) = (node for node in ast.walk(face) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "lazy")
    return {name: module for module, names in ast.literal_eval(call.args[1]).items() for name in names.split()}


@pytest.mark.parametrize("file", FACES, ids=lambda file: file.parent.name)
def test_a_face_imports_on_demand_what_it_shows_to_the_type_checker(file: Path) -> None:
    package = ".".join(file.parent.relative_to(ENGINE.parent).parts)
    face = ast.parse(file.read_text())
    names = lazy_names(face)
    found = import_module(package)
    assert names == checked_names(face)
    assert sorted(names) == sorted(found.__all__)
    assert all(hasattr(found, name) for name in names)
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = found.nothing_like_it


@pytest.mark.parametrize("file", FACES, ids=lambda file: file.parent.name)
def test_no_module_takes_the_place_of_a_name_of_its_face(file: Path) -> None:
    """Importing `engine.x.y` makes `y` an attribute of `engine.x`: a name `y` of the face would then be the module."""
    modules = {path.stem for path in file.parent.iterdir()}
    assert modules & lazy_names(ast.parse(file.read_text())).keys() == set()


def test_app_imports_next_to_nothing_inside_of_functions() -> None:
    found = [
        f"{file.relative_to(ENGINE)}:{node.lineno}"
        for file in sorted((ENGINE / "app").rglob("*.py"))
        for function in ast.walk(ast.parse(file.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert len(found) <= MOST_IN_FUNCTIONS, found
