"""Where a project keeps what runs write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import Exit, RefusalError

if TYPE_CHECKING:
    from engine.stores import SqlRunStore, SqlServingStore

IGNORE = "# What Weir writes while it runs. Not for Git.\n*\n"


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


def state_paths(root: Path, folder: str = ".weir") -> StatePaths:
    """The state of the project at `root`; `folder` is the setting `state` of weir.yaml."""
    return StatePaths((root / folder).resolve())


def utc_now() -> datetime:
    """The clock that everything else is given."""
    return datetime.now(UTC)


@contextmanager
def run_store(paths: StatePaths) -> Iterator[SqlRunStore]:
    """The run state, with runs marked as abandoned whose process died. RefusalError when it cannot be opened."""
    from engine.run import StoreError
    from engine.stores import open_run_store

    paths.prepare()
    try:
        store = open_run_store(paths.runs)
    except StoreError as error:
        raise RefusalError(Exit.ENVIRONMENT, error.message, error.hint) from None
    try:
        store.abandon_dead_runs(utc_now())
        yield store
    finally:
        store.close()


@contextmanager
def serving_store(paths: StatePaths) -> Iterator[SqlServingStore]:
    """Due times and tokens. RefusalError when they cannot be opened."""
    store = open_serving(paths)
    try:
        yield store
    finally:
        store.close()


def open_serving(paths: StatePaths) -> SqlServingStore:
    """As `serving_store`, for whoever closes it later."""
    from engine.run import StoreError
    from engine.stores import open_serving_store

    paths.prepare()
    try:
        return open_serving_store(paths.runs)
    except StoreError as error:
        raise RefusalError(Exit.ENVIRONMENT, error.message, error.hint) from None
