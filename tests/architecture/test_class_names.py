"""A class name has one meaning: the sandbox and the tools use no name of another package."""

from __future__ import annotations

import ast
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
