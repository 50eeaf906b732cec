"""Runs SQL boxes in a child process with memory and CPU limits of the operating system, for unreviewed SQL.

The child reads the box as JSON from stdin, has no environment, and writes the result file. Some statements exceed
DuckDB's own limits; none exceeds RLIMIT_AS, RLIMIT_CPU and a kill.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

from engine.connector import MirrorInstant, SourceCatalogue
from engine.connector.installed import currencies
from engine.graph import Box
from engine.relation import ColumnType, Relation
from engine.run import BoxError, BoxLimits, BoxResult, StoreError

from ..files import reading
from .money import mentions_amount
from .runner import limited_tables, spill_folder

_GRACE_SECONDS: Final = 5.0
_CANCELLED_EVERY_SECONDS: Final = 0.1

_MAX_ANSWER_BYTES: Final = 1 << 16


class IsolatedBoxRunner:
    """A `BoxRunner` with the parameters of `DuckBoxRunner` that runs each box in a child process.

    A child is killed `grace_seconds` after the time limit of the box; the extra time covers start-up and the result.
    """

    def __init__(
        self,
        stagings: Mapping[str, Path],
        catalogues: Mapping[str, SourceCatalogue],
        store: Path,
        schema: Mapping[str, Relation],
        cancelled: Callable[[], bool] | None = None,
        grace_seconds: float = _GRACE_SECONDS,
    ) -> None:
        self._cancelled = cancelled
        self._grace_seconds = grace_seconds
        self._stagings = dict(stagings)
        self._catalogues = dict(catalogues)
        self._store = store
        self._schema = dict(schema)

    def run(self, box: Box, target: Path, limits: BoxLimits, since: MirrorInstant | None = None) -> BoxResult:
        """See `BoxRunner.run`. `BoxError.limit` is "seconds" or "memory" when the child exceeded that limit."""
        job = json.dumps(self._job(box, target, limits, since)).encode()
        try:
            with reading(self._files(box)):  # locked before the child starts: waiting does not count as the box's time
                answer = _run_child(job, limits, self._grace_seconds, self._cancelled)
            if "error" in answer:
                raise _to_error(answer["error"])
        except BaseException:
            _remove_leftovers(target)
            raise
        unknown = tuple((str(name), int(count)) for name, count in answer["unknown"])
        seen = position_from_json(answer["seen"])
        return BoxResult(target, box.bound.relation, int(answer["rows"]), seen, unknown)

    def _files(self, box: Box) -> list[Path]:
        paths = [self._stagings[name] for name in box.scope if name in self._stagings]
        return [path for path in (*paths, self._store) if path.exists()]

    def _job(self, box: Box, target: Path, limits: BoxLimits, since: MirrorInstant | None) -> dict[str, Any]:
        connections = [name for name in box.scope if name in self._stagings]
        return {
            "sql": box.sql,
            "scope": list(box.scope),
            "relation": _to_json(box.bound.relation),
            "limited": [[name.namespace, name.table] for name in limited_tables(box)],
            "since": position_to_json(since),
            "target": str(target.absolute()),
            "limits": [limits.memory_bytes, limits.seconds, limits.threads, limits.temp_bytes],
            "stagings": {name: str(self._stagings[name].absolute()) for name in connections},
            "catalogues": {
                name: {each: _to_json(table.relation) for each, table in self._catalogues[name].tables.items()}
                for name in connections
            },
            "currencies": dict(currencies()) if mentions_amount(box.sql) else {},
            "store": str(self._store.absolute()),
            "schema": {name: _to_json(relation) for name, relation in self._schema.items()},
        }


def _run_child(
    job: bytes, limits: BoxLimits, grace_seconds: float, cancelled: Callable[[], bool] | None
) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "engine.duck.boxes.isolated_child"]
    with TemporaryFile() as given:  # a job can exceed the capacity of a pipe
        given.write(job)
        given.seek(0)
        process = subprocess.Popen(  # noqa: S603 - our own module, no shell, no argument from outside
            command,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"LC_ALL": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
    try:
        output = _answer(process, limits.seconds + grace_seconds, cancelled)
    except subprocess.TimeoutExpired:
        raise BoxError(f"the box took longer than {limits.seconds:g} seconds", limit="seconds") from None
    finally:
        process.kill()
        process.wait()
    try:
        answer = json.loads(output[:_MAX_ANSWER_BYTES])
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        return answer
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise BoxError(f"the box took longer than {limits.seconds:g} seconds", limit="seconds")
    if process.returncode > 0:
        raise BoxError(f"the box's process ended with exit code {process.returncode}")
    # A C++ program that runs out of address space ends with an abort or a segmentation fault.
    raise BoxError(f"the box took more than {limits.memory_bytes:,} bytes of memory", limit="memory")


def _answer(process: subprocess.Popen[bytes], seconds: float, cancelled: Callable[[], bool] | None) -> bytes:
    """The output of the child. `TimeoutExpired` when its time is over, `BoxError` when the run is cancelled."""
    end = time.monotonic() + seconds
    while True:
        left = end - time.monotonic()
        try:
            return process.communicate(timeout=left if cancelled is None else min(left, _CANCELLED_EVERY_SECONDS))[0]
        except subprocess.TimeoutExpired:
            if cancelled is not None and cancelled():
                raise BoxError("the box was stopped") from None
            if left <= _CANCELLED_EVERY_SECONDS or cancelled is None:
                raise


def _remove_leftovers(target: Path) -> None:
    for leftover in (target, target.with_name(target.name + ".part"), target.with_name(target.name + ".part.wal")):
        leftover.unlink(missing_ok=True)
    shutil.rmtree(spill_folder(target), ignore_errors=True)


def _to_error(error: Mapping[str, Any]) -> Exception:
    if "code" in error:
        return StoreError(str(error["code"]), str(error["message"]), error["hint"])
    span = error["span"]
    return BoxError(str(error["reason"]), limit=error["limit"], span=(span[0], span[1]) if span else None)


def position_to_json(position: MirrorInstant | None) -> list[str] | None:
    """A mirror position as JSON, for the job and the answer of a child."""
    return None if position is None else [position.file, position.changed_at.isoformat()]


def position_from_json(written: Sequence[str] | None) -> MirrorInstant | None:
    """The inverse of `position_to_json`."""
    return None if written is None else MirrorInstant(written[0], datetime.fromisoformat(written[1]))


def _to_json(relation: Relation) -> list[Any]:
    return [[column.name, _type_to_json(column.type)] for column in relation]


def _type_to_json(kind: ColumnType) -> list[Any]:
    return [kind.kind.value, kind.precision, kind.scale, None if kind.item is None else _type_to_json(kind.item)]
