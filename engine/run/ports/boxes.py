"""SQL boxes: limits, results, errors and the port that runs them. Implemented in `duck/boxes/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.connector import MirrorInstant
from engine.graph import Box
from engine.relation import Relation


@dataclass(frozen=True, slots=True)
class BoxLimits:
    """How much a SQL box may take. `seconds` is wall time."""

    memory_bytes: int
    seconds: float
    threads: int
    temp_bytes: int


@dataclass(frozen=True, slots=True)
class BoxResult:
    """A box's rows, on disk: the table `result` of the DuckDB file at `path`. `relation` is what it has.

    `seen` is the instant of the mirror that a box which reads changed rows was run at. `unknown` are currencies that
    `weir.amount` met and does not know, with how many amounts had them.
    """

    path: Path
    relation: Relation
    rows: int
    seen: MirrorInstant | None = None
    unknown: tuple[tuple[str, int], ...] = ()


class BoxError(Exception):
    """A box did not run: `reason` is for people, `limit` names the limit it hit, `span` the code points in its SQL."""

    def __init__(self, reason: str, *, limit: str | None = None, span: tuple[int, int] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.limit = limit
        self.span = span


class BoxRunner(Protocol):
    """Runs SQL boxes, which are untrusted: they see the staged tables and the Schema and nothing else."""

    def run(self, box: Box, target: Path, limits: BoxLimits, since: MirrorInstant | None = None) -> BoxResult:
        """Write the box's rows to a new file at `target`. Raises `BoxError`; then `target` does not exist.

        Of tables in `changed` the box sees the rows that have changed since then: all of them without `since`, or when
        it does not lead to what the mirror is now.
        """
        ...
