"""The child process of `isolated`: runs one box, read as JSON from stdin, within operating system limits."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from engine.connector import Need, SourceCatalogue, SourceTable
from engine.diagnostics import Place
from engine.graph import Bound, Box, TableRead
from engine.relation import Column, ColumnType, Kind, Relation
from engine.run import BoxError, BoxLimits, StoreError

from .isolated import position_from_json, position_to_json
from .runner import DuckBoxRunner

_OVERHEAD_BYTES: Final = 2 << 30
"""Address space for the interpreter, DuckDB's code, the writer and thread stacks, in addition to the box's memory."""

_GRACE_SECONDS: Final = 5
"""CPU seconds to start and to write the result."""


def _from_json(columns: list[Any]) -> Relation:
    return Relation(tuple(Column(name, _type_from_json(kind)) for name, kind in columns))


def _type_from_json(value: list[Any]) -> ColumnType:
    kind, precision, scale, item = value
    return ColumnType(Kind(kind), precision, scale, None if item is None else _type_from_json(item))


def _limit_process(limits: BoxLimits) -> None:
    seconds = int(limits.seconds * (limits.threads + 1)) + _GRACE_SECONDS
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
        currencies=job["currencies"],
    )
    reads = tuple(TableRead(namespace, Need(table, (), limit=0)) for namespace, table in job["limited"])
    box = Box(job["sql"], Place(""), tuple(job["scope"]), Bound(_from_json(job["relation"]), reads))
    try:
        result = runner.run(box, Path(job["target"]), limits, position_from_json(job["since"]))
        return {"rows": result.rows, "seen": position_to_json(result.seen), "unknown": result.unknown}
    except BoxError as error:
        return {"error": {"reason": error.reason, "limit": error.limit, "span": error.span}}
    except StoreError as error:
        return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}


def _main() -> None:
    try:
        answer = _run_job(json.loads(sys.stdin.buffer.read()))
    except MemoryError:
        answer = {"error": {"reason": "the box exceeded its memory limit", "limit": "memory", "span": None}}
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()


if __name__ == "__main__":
    _main()
