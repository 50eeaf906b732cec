"""Migrations of the run state: one numbered file each, applied in order, never edited once released."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema's history: its number, its name and its statements."""

    number: int
    name: str
    statements: tuple[str, ...]


def load_migrations() -> tuple[Migration, ...]:
    """All migrations in order of their numbers."""
    found = [
        Migration(int(file.name[:4]), file.name[5:-4], _statements(file.read_text(encoding="utf-8")))
        for file in files(__name__).iterdir()
        if file.name.endswith(".sql")
    ]
    return tuple(sorted(found, key=lambda migration: migration.number))


def _statements(script: str) -> tuple[str, ...]:
    code = "\n".join(line for line in script.splitlines() if not line.startswith("--"))
    return tuple(statement.strip() for statement in code.split(";") if statement.strip())
