"""What a project's files are at a moment: their bytes, hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.source import Files, read_files


@dataclass(frozen=True, slots=True)
class Manifest:
    """By path, the hash of a file. Equal manifests mean equal definitions, whatever happened to the files meanwhile."""

    hashes: Mapping[str, str]
    unread: frozenset[str]

    @classmethod
    def of(cls, files: Files) -> Manifest:
        """The manifest of files that were read."""
        return cls({name: hash_of(raw) for name, raw in files.raw.items()}, files.unread)

    @property
    def digest(self) -> str:
        """One hash for all of it."""
        found = hashlib.sha256()
        for name, value in sorted(self.hashes.items()):
            found.update(f"{name}\0{value}\n".encode())
        for name in sorted(self.unread):
            found.update(f"{name}\0unread\n".encode())
        return found.hexdigest()

    def changed(self, before: Manifest) -> tuple[str, ...]:
        """The files that are new, gone or different, in order of path."""
        names = {*self.hashes, *before.hashes, *self.unread, *before.unread}
        return tuple(
            sorted(
                name
                for name in names
                if self.hashes.get(name) != before.hashes.get(name) or (name in self.unread) != (name in before.unread)
            )
        )


def hash_of(raw: bytes) -> str:
    """The hash of a file's bytes."""
    return hashlib.sha256(raw).hexdigest()


def read_now(root: Path) -> Files:
    """The files of a project as they are now; what cannot be read is among `unread`."""

    return read_files(root)
