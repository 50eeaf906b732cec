"""Applying the fixes that findings offer to the files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .check import Checked


def fix_project(checked: Checked) -> tuple[str, ...]:
    """Write the files that the fixes change, each at once and whole. Returns their paths, relative to the root."""
    from engine.report import apply_fixes

    changed = apply_fixes(checked.diagnostics, checked.tree)
    for file, text in changed.items():
        write_whole(checked.tree.root / file, text)
    return tuple(sorted(changed))


def write_whole(path: Path, text: str) -> None:
    """Put `text` where the file is, in one step: a reader sees the old text or the new one. Permissions are kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(name).chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
