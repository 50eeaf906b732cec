"""Cases that Git cannot store well and that are made when they run. Each takes the folder of the copied project."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path


def folder_is_a_file(root: Path) -> None:
    """`interfaces` is a file."""
    shutil.rmtree(root / "interfaces")
    (root / "interfaces").write_text("not a folder\n")


def too_large(root: Path) -> None:
    """An interface of more than a mebibyte."""
    (root / "interfaces/dump.yaml").write_text("# data\n" * 160_000)


def links(root: Path) -> None:
    """Symbolic links that lead out of the project, nowhere, to themselves, and in a circle."""
    outside = root.parent / "outside.yaml"
    outside.write_text("kind: schema\n")
    (root / "schemas/outside.yaml").symlink_to(outside)
    (root / "schemas/nowhere.yaml").symlink_to("gone.yaml")
    (root / "schemas/itself.yaml").symlink_to("itself.yaml")
    (root / "schemas/circle").symlink_to(root / "schemas")


def folder_named_like_a_file(root: Path) -> None:
    """A folder `more.yaml`."""
    (root / "interfaces/more.yaml").mkdir()


def no_definitions(root: Path) -> None:
    """Folders without a definition."""
    for folder in ("connections", "interfaces", "schemas"):
        shutil.rmtree(root / folder)
    (root / "connections").mkdir()


GENERATED: Mapping[str, Callable[[Path], None]] = {
    "e101_folder_is_a_file": folder_is_a_file,
    "e103_too_large": too_large,
    "e113_links": links,
    "e116_folder_named_like_a_file": folder_named_like_a_file,
    "w101_no_definitions": no_definitions,
}
