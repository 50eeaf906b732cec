"""The executor of one machine: partitions run in threads of this process.

Below a stage's root, a partition has the directory `<stage>/<partition>` (ids percent-encoded), an attempt in it
`attempt-<n>`, and a committed partition the marker `committed.json`, which appears at once and is never replaced.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

import msgspec

from engine.connector import ConnectorError
from engine.run import (
    Json,
    Output,
    OutputFile,
    Partition,
    ReportSink,
    Stage,
    StageFunction,
    TaskContext,
    TaskResult,
)

MARKER: Final = "committed.json"


class _File(msgspec.Struct):
    """An output file, and its bytes: one that lost some in a power cut is not trusted."""

    path: str
    rows: int
    bucket: str
    meta: dict[str, Any]
    size: int


class _Marked(msgspec.Struct):
    """What a marker says."""

    attempt: int
    files: list[_File]
    value: Any = None


@dataclass(slots=True)
class _Map:
    """One call of `map`."""

    stage: Stage
    function: StageFunction
    report: ReportSink
    cancelled: Callable[[], bool]
    waiting: deque[Partition]
    running: dict[Future[TaskResult], Partition] = field(default_factory=dict)
    abandoned: threading.Event = field(default_factory=threading.Event)

    def next_free(self) -> Partition | None:
        """The first waiting partition whose rate domain is free."""
        busy = {part.rate_domain for part in self.running.values() if part.rate_domain}
        free = next((part for part in self.waiting if part.rate_domain not in busy), None)
        if free is not None:
            self.waiting.remove(free)
        return free


class InlineExecutor:
    """Runs at most `parallelism` partitions at once, in threads.

    A `ConnectorError` is the partition's result. Any other exception counts as the loss of a worker: the partition is
    tried again, `Stage.retries` times, and then the exception leaves `map`. Stopping the iteration stops the rest.
    """

    def __init__(self, parallelism: int) -> None:
        if parallelism < 1:
            raise ValueError("expected a parallelism of at least 1")
        self._parallelism = parallelism
        self._pool = ThreadPoolExecutor(parallelism, thread_name_prefix="partition")
        self._closed = threading.Event()

    @property
    def parallelism(self) -> int:
        """How many partitions may run at once."""
        return self._parallelism

    def map(
        self,
        stage: Stage,
        parts: Sequence[Partition],
        report: ReportSink = lambda _partition, _totals: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[TaskResult]:
        """See `Executor.map`. ValueError for two partitions of one id; what importing the function raises."""
        if len({part.id for part in parts}) < len(parts):
            raise ValueError("expected partitions with distinct ids")
        module, _, name = stage.function.partition(":")
        function = cast("StageFunction", getattr(import_module(module), name))
        work = _Map(stage, function, report, cancelled, deque(parts))
        self._start(work)
        return self._results(work)

    def close(self) -> None:
        """Tell the functions that are running to stop, and wait for them."""
        self._closed.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self, work: _Map) -> None:
        while len(work.running) < self._parallelism and (part := work.next_free()) is not None:
            work.running[self._pool.submit(self._partition, work, part)] = part

    def _results(self, work: _Map) -> Iterator[TaskResult]:
        try:
            while work.running:
                done, _ = wait(work.running, return_when=FIRST_COMPLETED)
                for future in done:
                    del work.running[future]
                self._start(work)
                for future in done:
                    yield future.result()
        finally:
            work.abandoned.set()
            work.waiting.clear()
            for future in work.running:
                future.cancel()
            wait(work.running)

    def _partition(self, work: _Map, part: Partition) -> TaskResult:
        home = work.stage.root / _name(work.stage.id) / _name(part.id)
        home.mkdir(parents=True, exist_ok=True)
        marked = _read_marker(home)
        if marked is not None:
            return _result(part, marked)
        tries = 0
        while True:
            attempt, directory = _new_attempt(home)
            context = self._context(work, part, attempt, directory)
            try:
                output = work.function(work.stage.config, part.payload, context)
            except ConnectorError as error:
                return TaskResult(part.id, attempt, error=error.failure)
            except Exception:
                tries += 1
                if tries > work.stage.retries or context.cancelled():
                    raise
                continue
            return _result(part, _commit(home, attempt, output))

    def _context(self, work: _Map, part: Partition, attempt: int, directory: Path) -> TaskContext:
        def tell(totals: Mapping[str, Json]) -> None:
            work.report(part.id, totals)

        def is_cancelled() -> bool:
            return self._closed.is_set() or work.abandoned.is_set() or work.cancelled()

        return TaskContext(directory, attempt, tell, is_cancelled)


def _name(text: str) -> str:
    """A file name for any text; different texts have different ones."""
    return quote(text, safe="").replace(".", "%2E") or "%"


def _new_attempt(home: Path) -> tuple[int, Path]:
    """A directory that no attempt has had, and its number, from 1."""
    number = 1 + max((int(path.name.rpartition("-")[2]) for path in home.glob("attempt-*")), default=0)
    while True:
        directory = home / f"attempt-{number}"
        try:
            directory.mkdir()
        except FileExistsError:
            number += 1
        else:
            return number, directory


def _commit(home: Path, attempt: int, output: Output) -> _Marked:
    """Set the marker, unless another attempt has: then that one counts. What the marker says."""
    files = [
        _File(file.path, file.rows, file.bucket, dict(file.meta), Path(file.path).stat().st_size)
        for file in output.files
    ]
    content = msgspec.json.encode(_Marked(attempt, files, output.value))
    draft = home / f"attempt-{attempt}" / f".{MARKER}"
    with draft.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, home / MARKER)
    except FileExistsError:
        winner = _read_marker(home)
        if winner is not None:
            return winner
        draft.replace(home / MARKER)
    with suppress(FileNotFoundError):
        draft.unlink()
    # What a marker says is what the driver is given: both have been through JSON.
    return msgspec.json.decode(content, type=_Marked)


def _read_marker(home: Path) -> _Marked | None:
    """The marker, if there is one and its files are whole."""
    try:
        marked = msgspec.json.decode((home / MARKER).read_bytes(), type=_Marked)
        whole = all(Path(file.path).stat().st_size == file.size for file in marked.files)
    except FileNotFoundError:
        return None
    return marked if whole else None


def _result(part: Partition, marked: _Marked) -> TaskResult:
    files = tuple(OutputFile(file.path, file.rows, file.bucket, file.meta) for file in marked.files)
    return TaskResult(part.id, marked.attempt, files, marked.value)
