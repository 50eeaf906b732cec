"""The JSON Schemas of the definitions, as files for editors."""

from __future__ import annotations

from pathlib import Path

from engine.spec import schema_files

from ..files import write_whole


def write_schemas(root: Path) -> tuple[str, ...]:
    """Write the JSON Schemas that differ into the project's `schemas/`. Returns the paths of all."""
    stale = stale_schemas(root)
    texts = _texts()
    for path in stale:
        write_whole(root / path, texts[path])
    return tuple(texts)


def stale_schemas(root: Path) -> tuple[str, ...]:
    """The JSON Schemas of the project that are missing or of another version."""
    return tuple(
        path
        for path, text in _texts().items()
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text
    )


def _texts() -> dict[str, str]:

    return {f"schemas/{name}": text for name, text in schema_files().items()}
