"""What steps that read changed rows have seen: `weir.watermarks`, beside the Schema's tables and written with them."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import Final

import duckdb

from engine.connector import MirrorInstant
from engine.plan import Watermark
from engine.run import ImportJob

from ..files import attach, reading
from ..instances import WITHOUT_LIMIT, Terms, own_instance
from .shape import STORE

_TABLE: Final = f"{STORE}.weir.watermarks"
_MAKE: Final = f"""
CREATE SCHEMA IF NOT EXISTS {STORE}.weir;
CREATE TABLE IF NOT EXISTS {_TABLE} (
    step VARCHAR NOT NULL,
    run VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL,
    file VARCHAR NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    parts JSON NOT NULL
)
"""
_PRESENT: Final = """
SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = 'weir' AND table_name = 'watermarks'
"""
_READ: Final = f"""
SELECT w.step, w.run, w.file, w.changed_at, w.parts, t.table_name IS NULL
FROM {_TABLE} AS w
LEFT JOIN duckdb_tables() AS t
    ON t.database_name = $store AND t.schema_name = 'main' AND t.table_name = w.table_name
"""


def read_watermarks(path: Path) -> dict[str, Watermark]:
    """The watermark of each step that has one, by step. `StoreError` E610 for a busy file."""
    if not path.exists():
        return {}
    terms = Terms(path.with_name(f"{path.name}.tmp"), memory=WITHOUT_LIMIT)
    with reading([path]), own_instance(terms, STORE) as connection:
        attach(connection, path, STORE, read_only=True)
        if not connection.execute(_PRESENT, [STORE]).fetchall():
            return {}
        found = connection.execute(_READ, {"store": STORE}).fetchall()
    return {
        step: Watermark(step, run, MirrorInstant(file, changed_at.replace(tzinfo=UTC)), json.loads(parts), lost)
        for step, run, file, changed_at, parts, lost in found
    }


def record_watermark(connection: duckdb.DuckDBPyConnection, job: ImportJob, *, is_new: bool) -> None:
    """Remember the job's watermark, or that its step has none now, in the open transaction.

    `is_new`: the job has made its table. Whoever wrote a table of that name before has written nothing into this one.
    """
    if not connection.execute(_PRESENT, [STORE]).fetchall():
        if job.watermark is None:
            return
        connection.execute(_MAKE)
    connection.execute(
        f"DELETE FROM {_TABLE} WHERE step = $step OR ($is_new AND table_name = $table)",
        {"step": job.step, "is_new": is_new, "table": job.table},
    )
    mark = job.watermark
    if mark is not None:
        moment = mark.at.changed_at.astimezone(UTC).replace(tzinfo=None)
        values = [mark.step, mark.run, job.table, mark.at.file, moment, json.dumps(dict(mark.parts))]
        connection.execute(f"INSERT INTO {_TABLE} VALUES (?, ?, ?, ?, ?, ?)", values)
