"""The project's settings, for verbs that need nothing else of the definitions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.spec import SettingsSpec


def project_settings(root: Path) -> SettingsSpec:
    """What weir.yaml says, or the defaults where it is missing or wrong (`weir validate` says what is wrong)."""
    from engine.diagnostics import Collector
    from engine.source import SourceTree, read_yaml
    from engine.spec import SettingsSpec, validate_tree

    file = root / "weir.yaml"
    if not file.is_file():
        return SettingsSpec()
    collector = Collector()
    document = read_yaml(file.name, file.read_text(encoding="utf-8", errors="replace"), collector)
    return validate_tree(SourceTree(root, {file.name: document}), collector).settings
