"""Runs SQL boxes in a child process that the system keeps within memory and time: for SQL that nobody here reviewed.

The child gets the box as JSON on stdin, no environment, and leaves the result file. Some statements pass DuckDB's own
limits; none passes RLIMIT_AS, RLIMIT_CPU and a kill.
"""

from __future__ import annotations

import json
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from engine.connector import SourceCatalogue, SourceTable
from engine.diagnostics import Place
from engine.graph import Bound, Box
from engine.relation import Column, ColumnType, Kind, Relation
from engine.run import BoxError, BoxLimits, BoxResult, StoreError

from .box import DuckBoxRunner, spill_folder

_GRACE_SECONDS: Final = 5.0

_OVERHEAD_BYTES: Final = 2 << 30
"""Address space for the interpreter, DuckDB's code, the writer and thread stacks, beside the box's own memory."""

_MAX_ANSWER_BYTES: Final = 1 << 16


class IsolatedBoxRunner:
    """`BoxRunner` like `DuckBoxRunner`, one child process a box. Takes what that takes.

    A child is killed `grace_seconds` after the box's own time: it has to start and to write the result."""

    def __init__(
        self,
        stagings: Mapping[str, Path],
        catalogues: Mapping[str, SourceCatalogue],
        store: Path,
        schema: Mapping[str, Relation],
        grace_seconds: float = _GRACE_SECONDS,
    ) -> None:
        self._grace_seconds = grace_seconds
        self._stagings = dict(stagings)
        self._catalogues = dict(catalogues)
        self._store = store
        self._schema = dict(schema)

    def run(self, box: Box, target: Path, limits: BoxLimits) -> BoxResult:
        """See `BoxRunner.run`. `BoxError.limit` is "seconds" or "memory" when the child had to be stopped."""
        job = json.dumps(self._job(box, target, limits)).encode()
        try:
            answer = _run_child(job, limits, self._grace_seconds)
            if "error" in answer:
                raise _to_error(answer["error"])
        except BaseException:
            _remove_leftovers(target)
            raise
        return BoxResult(target, box.bound.relation, int(answer["rows"]))

    def _job(self, box: Box, target: Path, limits: BoxLimits) -> dict[str, Any]:
        connections = [name for name in box.scope if name in self._stagings]
        return {
            "sql": box.sql,
            "scope": list(box.scope),
            "relation": _to_json(box.bound.relation),
            "target": str(target.absolute()),
            "limits": [limits.memory_bytes, limits.seconds, limits.threads, limits.temp_bytes],
            "stagings": {name: str(self._stagings[name].absolute()) for name in connections},
            "catalogues": {
                name: {each: _to_json(table.relation) for each, table in self._catalogues[name].tables.items()}
                for name in connections
            },
            "store": str(self._store.absolute()),
            "schema": {name: _to_json(relation) for name, relation in self._schema.items()},
        }


def _run_child(job: bytes, limits: BoxLimits, grace_seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "engine.duck.isolated"]
    process = subprocess.Popen(  # noqa: S603 - our own module, no shell, no argument from outside
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"LC_ALL": "C.UTF-8"},
        cwd="/",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(job, timeout=limits.seconds + grace_seconds)
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
    # Out of address space ends a C++ program by abort or a fault wherever it happens to stand.
    raise BoxError(f"the box took more than {limits.memory_bytes:,} bytes of memory", limit="memory")


def _remove_leftovers(target: Path) -> None:
    for leftover in (target, target.with_name(target.name + ".part"), target.with_name(target.name + ".part.wal")):
        leftover.unlink(missing_ok=True)
    shutil.rmtree(spill_folder(target), ignore_errors=True)


def _to_error(error: Mapping[str, Any]) -> Exception:
    if "code" in error:
        return StoreError(str(error["code"]), str(error["message"]), error["hint"])
    span = error["span"]
    return BoxError(str(error["reason"]), limit=error["limit"], span=(span[0], span[1]) if span else None)


def _to_json(relation: Relation) -> list[Any]:
    return [[column.name, _type_to_json(column.type)] for column in relation]


def _type_to_json(kind: ColumnType) -> list[Any]:
    return [kind.kind.value, kind.precision, kind.scale, None if kind.item is None else _type_to_json(kind.item)]


def _from_json(columns: list[Any]) -> Relation:
    return Relation(tuple(Column(name, _type_from_json(kind)) for name, kind in columns))


def _type_from_json(value: list[Any]) -> ColumnType:
    kind, precision, scale, item = value
    return ColumnType(Kind(kind), precision, scale, None if item is None else _type_from_json(item))


def _limit_process(limits: BoxLimits) -> None:
    seconds = int(limits.seconds * (limits.threads + 1) + _GRACE_SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    memory = limits.memory_bytes + _OVERHEAD_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _run_job(job: Mapping[str, Any]) -> dict[str, Any]:
    limits = BoxLimits(*job["limits"])
    _limit_process(limits)
    catalogues = {
        name: SourceCatalogue(
            "", {each: SourceTable(each, _from_json(columns), (), "", {}) for each, columns in tables.items()}
        )
        for name, tables in job["catalogues"].items()
    }
    runner = DuckBoxRunner(
        {name: Path(path) for name, path in job["stagings"].items()},
        catalogues,
        Path(job["store"]),
        {name: _from_json(columns) for name, columns in job["schema"].items()},
    )
    box = Box(job["sql"], Place(""), tuple(job["scope"]), Bound(_from_json(job["relation"]), ()))
    try:
        return {"rows": runner.run(box, Path(job["target"]), limits).rows}
    except BoxError as error:
        return {"error": {"reason": error.reason, "limit": error.limit, "span": error.span}}
    except StoreError as error:
        return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}


def _main() -> None:
    try:
        answer = _run_job(json.loads(sys.stdin.buffer.read()))
    except MemoryError:
        answer = {"error": {"reason": "the box took more memory than it may", "limit": "memory", "span": None}}
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()


if __name__ == "__main__":
    _main()
