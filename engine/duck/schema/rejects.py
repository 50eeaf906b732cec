"""The rows that imports refused, as they are kept beside the Schema's tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.run import KeptReject

from ..columns import describe
from ..files import attach, reading
from ..instances import Terms, own_instance
from ..statements import load_statements
from .shape import STORE

STATEMENTS: Final = load_statements(__package__, "rejects.sql")
TABLE: Final = f"{STORE}.weir.rejects"


def read_rejects(path: Path, limit: int) -> Sequence[KeptReject]:
    """What each step refused when it last ran, by step, in the order of its box. `StoreError` E610 for a busy file."""
    if not path.exists():
        return ()
    terms = Terms(path.with_name(f"{path.name}.tmp"), memory=None)
    with reading([path]), own_instance(terms, STORE) as connection:
        attach(connection, path, STORE, read_only=True)
        if not describe(connection, TABLE):
            return ()
        found = connection.execute(STATEMENTS["read"], [limit]).fetchall()
    return tuple(
        KeptReject(run, step, table, json.loads(key), column, problem, json.loads(row))
        for run, step, table, key, column, problem, row in found
    )
