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

from ..columns import catalogued_columns, describe
from ..files import attach, reading
from ..instances import Terms, own_instance
from ..statements import load_statements
from .shape import STORE

_SQL: Final = load_statements(__package__, "watermarks.sql")
_TABLE: Final = "watermarks"
_SCHEMA: Final = "weir"


def read_watermarks(path: Path) -> dict[str, Watermark]:
    """The watermark of each step that has one, by step. `StoreError` E610 for a busy file."""
    if not path.exists():
        return {}
    terms = Terms(path.with_name(f"{path.name}.tmp"), memory=None)
    with reading([path]), own_instance(terms, STORE) as connection:
        attach(connection, path, STORE, read_only=True)
        if not describe(connection, f"{STORE}.{_SCHEMA}.{_TABLE}"):
            return {}
        found = connection.execute(_SQL["read"]).fetchall()
    return {
        step: Watermark(step, run, MirrorInstant(file, changed_at.replace(tzinfo=UTC)), json.loads(parts), lost)
        for step, run, file, changed_at, parts, lost in found
    }


def record_watermark(connection: duckdb.DuckDBPyConnection, job: ImportJob, *, is_new: bool) -> None:
    """Remember the job's watermark, or that its step has none now, in the open transaction.

    `is_new`: the job has made its table. Whoever wrote a table of that name before has written nothing into this one.
    """
    mark = job.watermark
    if not catalogued_columns(connection, STORE, _TABLE, _SCHEMA):
        if mark is None:
            return
        connection.execute(_SQL["make_table"])
    connection.execute(_SQL["forget"], {"step": job.step, "is_new": is_new, "table": job.table})
    if mark is not None:
        values = {
            "step": mark.step,
            "run": mark.run,
            "table": job.table,
            "file": mark.at.file,
            "changed_at": mark.at.changed_at.astimezone(UTC).replace(tzinfo=None),
            "parts": json.dumps(dict(mark.parts)),
        }
        connection.execute(_SQL["record"], values)
