"""Applying the fixes that findings offer to the files."""

from __future__ import annotations

from engine.report import apply_fixes

from ..files import write_whole
from .check import Checked


def fix_project(checked: Checked) -> tuple[str, ...]:
    """Write the files that the fixes change, each at once and whole. Returns their paths, relative to the root."""

    changed = apply_fixes(checked.diagnostics, checked.tree)
    for file, text in changed.items():
        write_whole(checked.tree.root / file, text)
    return tuple(sorted(changed))
