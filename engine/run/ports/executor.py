"""The seam for work that can be spread: the same plan runs in one process or on a cluster that exists already.

A stage is named code plus JSON; a partition is data. Each partition runs at least once, in any order. An attempt
writes to a directory of its own and is committed by a put-if-absent marker: the driver sees only what is marked, and
skips partitions that carry a marker when it resumes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.connector import Failure

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]


@dataclass(frozen=True, slots=True)
class Stage:
    """What to run: `function` is "module:function", `config` is JSON without secrets, never a closure.

    `root` is the directory below which attempts write, `retries` how often a partition is tried again after its
    worker was lost (a failure that the function reports is a result, not a loss).
    """

    id: str
    function: str
    config: Mapping[str, Json]
    root: Path
    retries: int = 2


@dataclass(frozen=True, slots=True)
class Partition:
    """A piece of the work. Partitions of one `rate_domain` share a rate limit and do not run at the same time."""

    id: str
    payload: Json
    rate_domain: str = ""


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that an attempt wrote: `bucket` says which table (or part) it belongs to. `meta` is JSON."""

    path: str
    rows: int
    bucket: str
    meta: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Output:
    """What a stage's function returns: its files and a JSON value (for example the work that is left)."""

    files: tuple[OutputFile, ...] = ()
    value: Json = None


@dataclass(frozen=True, slots=True)
class TaskResult:
    """A committed attempt, or the failure that ended the partition."""

    partition: str
    attempt: int
    files: tuple[OutputFile, ...] = ()
    value: Json = None
    error: Failure | None = None


@dataclass(frozen=True, slots=True)
class TaskContext:
    """What a function may use besides its arguments.

    `directory` is the attempt's own. `report` takes the attempt's totals so far, all of them optional: {"tables":
    {table: rows}, "requests": {table: requests}, "counts": {name: number}, "waiting": why it waits, or null}. It may be
    called from any thread; on a cluster it may do nothing, so the output's value should end with the same totals.
    `cancelled` turns true when the run is stopped: the
    function then returns what it has, or raises.
    """

    directory: Path
    attempt: int
    report: Callable[[Mapping[str, Json]], None]
    cancelled: Callable[[], bool]


StageFunction = Callable[[Mapping[str, Json], Json, TaskContext], Output]
"""`function(config, payload, context)`. Raises ConnectorError for a failure that the user must hear of."""


ReportSink = Callable[[str, Mapping[str, Json]], None]
"""Takes the counts that a partition (by id) reports while it runs. May be called from any thread."""


def _no_report(partition: str, counts: Mapping[str, Json]) -> None:
    """Nobody listens."""


def _never() -> bool:
    return False


class Executor(Protocol):
    """Runs partitions. Implementations: `executors/`; the rules are proven by `testing.executor_suite`."""

    @property
    def parallelism(self) -> int:
        """How many partitions may run at once."""
        ...

    def map(
        self,
        stage: Stage,
        parts: Sequence[Partition],
        report: ReportSink = _no_report,
        cancelled: Callable[[], bool] = _never,
    ) -> Iterator[TaskResult]:
        """Yield a result for each partition, as they end. Already marked partitions are answered from their marker.

        Work begins with the call, not with the first `next`. Several threads may call it at once. `report` and
        `cancelled` reach the functions through their context, as far as the executor can carry them.
        """
        ...

    def close(self) -> None:
        """Stop the workers and wait for them."""
        ...
