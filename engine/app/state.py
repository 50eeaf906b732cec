"""Where a project keeps what runs write, and the clock that everything is given."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .errors import Exit, RefusalError

IGNORE = "# What Weir writes while it runs. Not for Git.\n*\n"
_ABANDONED_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class StatePaths:
    """The files below a project's state folder. They need not exist."""

    folder: Path

    @property
    def runs(self) -> Path:
        """Run state: history, leases, tracked parameters."""
        return self.folder / "state.db"

    @property
    def tables(self) -> Path:
        """The Schema's tables."""
        return self.folder / "store.duckdb"

    @property
    def spool(self) -> Path:
        """Pages on their way into staging."""
        return self.folder / "spool"

    @property
    def artefacts(self) -> Path:
        """What runs were asked to keep, a folder a run."""
        return self.folder / "runs"

    @property
    def scratch(self) -> Path:
        """Results and spilled data of SQL boxes; nothing outlives a run there."""
        return self.folder / "scratch"

    @property
    def generations(self) -> Path:
        """What the project's files meant when they were live, for a restart."""
        return self.folder / "generations"

    @property
    def audit(self) -> Path:
        """Who did what through the API, a JSON document a line."""
        return self.folder / "audit.jsonl"

    @property
    def sandbox(self) -> Path:
        """The folder in which the embedded sandbox keeps its world."""
        return self.folder / "sandbox"

    def staging(self, connection: str) -> Path:
        """The mirror of a connection."""
        return self.folder / "staging" / f"{connection}.duckdb"

    @contextmanager
    def temporary(self) -> Iterator[Path]:
        """A folder in `scratch` that is removed at the end. What killed processes have left there is removed, too."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        for left in self.scratch.iterdir():
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            yield Path(folder)

    def prepare(self) -> None:
        """Make the folder, private to its owner and ignored by Git. RefusalError when that is impossible."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            ignore = self.folder / ".gitignore"
            if not ignore.exists():
                ignore.write_text(IGNORE, encoding="utf-8")
        except OSError as error:
            raise RefusalError(
                Exit.ENVIRONMENT, f"the state folder `{self.folder}` cannot be written: {error.strerror}"
            ) from None


def utc_now() -> datetime:
    """The clock that everything else is given."""
    return datetime.now(UTC)
