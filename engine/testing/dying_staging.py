"""A staging whose process ends at a commit, as far as a test in the same process can simulate it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.connector import Changes, Coverage, SourceCatalogue
from engine.duck import DuckStaging
from engine.run import LoadReport, OutputFile


class Killed(BaseException):
    """The end of the process."""


@dataclass(frozen=True, slots=True)
class Crash:
    """The process ends at the `load`th commit of staging, counted from 0: right before it, or right after it."""

    load: int
    after: bool


class DyingStaging(DuckStaging):
    """A mirror whose process ends as `crash` says; it raises `Killed` then."""

    def __init__(
        self, path: Path, catalogue: SourceCatalogue, crash: Crash | None, *, accept_deletes: bool = False
    ) -> None:
        super().__init__(path, catalogue, accept_deletes=accept_deletes)
        self._crash = crash
        self._loads = itertools.count()

    def load(
        self,
        files: Sequence[OutputFile],
        coverage: Sequence[Coverage],
        read_at: datetime,
        changes: Changes = Changes(),  # noqa: B008 - frozen
    ) -> LoadReport:
        """See `Staging.load`."""
        dies = self._crash is not None and next(self._loads) == self._crash.load
        if dies and self._crash is not None and not self._crash.after:
            raise Killed
        report = super().load(files, coverage, read_at, changes)
        if dies:
            raise Killed
        return report
