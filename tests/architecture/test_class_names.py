"""A class name has one meaning: no name is defined twice in the engine, the sandbox and the tools."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APART = ("engine/sandbox", "tools")
"""Places whose names differ from those of everything else in `engine` and `tools`."""


def classes(folder: Path, without: Path | None = None) -> dict[str, str]:
    """The public classes below a folder, each with its file."""
    return {
        node.name: str(file.relative_to(ROOT))
        for file in folder.rglob("*.py")
        if without is None or without not in file.parents
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }


@pytest.mark.parametrize("place", APART)
def test_a_class_of_the_place_has_a_name_of_its_own(place: str) -> None:
    own = classes(ROOT / place)
    others = {**classes(ROOT / "engine", ROOT / place), **classes(ROOT / "tools", ROOT / place)}
    assert own
    assert {name: (own[name], others[name]) for name in own.keys() & others.keys()} == {}


SHARED = {
    "Answer": {"api", "app", "connectors"},
    "Buckets": {"api", "connectors"},
    "Embedded": {"connectors"},
    "Finding": {"api", "app"},
    "Full": {"testing"},
    "Generation": {"api", "app"},
    "Given": {"app"},
    "Interface": {"api", "project"},
    "Kept": {"app", "connectors"},
    "Op": {"connector", "run"},
    "Order": {"app", "connectors"},
    "Pace": {"app", "connector"},
    "Parameter": {"api", "connector"},
    "Pending": {"api", "app"},
    "Plan": {"api", "plan"},
    "Problem": {"api", "duck"},
    "Region": {"api", "source"},
    "Reload": {"api", "app"},
    "Run": {"api", "run"},
    "Runs": {"api", "app"},
}
"""Names that are still defined more than once, with the packages that define them. Only ever remove entries."""


def test_no_class_name_is_defined_twice() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted((ROOT / "engine").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(file.relative_to(ROOT / "engine").parts[0])
    assert {name: set(packages) for name, packages in found.items() if len(packages) > 1} == SHARED
