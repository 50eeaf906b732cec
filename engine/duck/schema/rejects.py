"""The rows that imports refused, as they are kept beside the Schema's tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.run import KeptReject

from ..files import attach, reading
from ..instances import WITHOUT_LIMIT, Terms, own_instance

_DATABASE: Final = "store"
_PRESENT: Final = """
SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = 'weir' AND table_name = 'rejects'
"""
_NEWEST_OF_EACH_STEP: Final = """
SELECT run, step, table_name, key, column_name, problem, "row" FROM store.weir.rejects ORDER BY step, rowid LIMIT ?
"""


def read_rejects(path: Path, limit: int) -> Sequence[KeptReject]:
    """What each step refused when it last ran, by step, in the order of its box. `StoreError` E610 for a busy file."""
    if not path.exists():
        return ()
    terms = Terms(path.with_name(f"{path.name}.tmp"), memory=WITHOUT_LIMIT)
    with reading([path]), own_instance(terms, _DATABASE) as connection:
        attach(connection, path, _DATABASE, read_only=True)
        if not connection.execute(_PRESENT, [_DATABASE]).fetchall():
            return ()
        found = connection.execute(_NEWEST_OF_EACH_STEP, [limit]).fetchall()
    return tuple(
        KeptReject(run, step, table, json.loads(key), column, problem, json.loads(row))
        for run, step, table, key, column, problem, row in found
    )
