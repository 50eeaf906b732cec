"""`python -m tools.docs`: write the generated reference pages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from tools.docs.reference import reference_files

REFERENCE: Final = Path(__file__).parents[2] / "docs/reference"


def write_pages(folder: Path) -> tuple[Path, ...]:
    """Write the pages that are missing or stale into the folder, which must exist. Returns their paths."""
    stale = [
        (folder / name, text)
        for name, text in reference_files().items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        path.write_text(text, encoding="utf-8")
    return tuple(path for path, _ in stale)


if __name__ == "__main__":
    for page in write_pages(REFERENCE):
        sys.stdout.write(f"{page.relative_to(Path.cwd())}\n" if page.is_relative_to(Path.cwd()) else f"{page}\n")
