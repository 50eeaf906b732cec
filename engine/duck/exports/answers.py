"""The answers of calls as rows: each object as the mirror has it, with the row of its call."""

from __future__ import annotations

from pathlib import Path

import duckdb

from engine.connector import SourceTable
from engine.relation import Relation
from engine.run import BoxResult, RowStatus

from ..columns import describe
from ..files import STORAGE_VERSION, attach
from ..quoting import quote_literal, quote_name
from ..types import sql_type

RESULT = "result"


def read_answers(
    staging: Path, table: SourceTable, relation: Relation, row: Path, target: Path, step: str, *, earlier: bool
) -> BoxResult:
    """Write the answers to the calls of `step`, for the rows of its last run, to a new file at `target`. With
    `earlier`, calls of earlier runs are included: such a run may have ended before it wrote its answers.

    `relation` has the columns of the object, then those of the row (the box's result in the file `row`).
    """
    target.unlink(missing_ok=True)
    connection = duckdb.connect(config={"threads": 1})
    try:
        connection.execute("SET TimeZone = 'UTC'")
        attach(connection, staging, "mirror", read_only=True)
        attach(connection, row, "box", read_only=True)
        version = quote_literal(STORAGE_VERSION)
        connection.execute(f"ATTACH {quote_literal(str(target))} AS output (STORAGE_VERSION {version})")
        own = {column.name.casefold() for column in table.relation}
        values = ", ".join(
            f"CAST({'object' if column.name.casefold() in own else 'origin'}.{quote_name(column.name)} "
            f"AS {sql_type(column.type)}) AS {quote_name(column.name)}"
            for column in relation
        )
        columns = ", ".join(f"{quote_name(column.name)} {sql_type(column.type)}" for column in relation)
        connection.execute(f"CREATE TABLE output.{RESULT} ({columns})")
        objects = f"mirror.main.{quote_name(table.name)}"
        if describe(connection, objects):
            connection.execute(
                f"INSERT INTO output.{RESULT} SELECT {values} FROM mirror.weir.outcomes AS outcome "
                f"JOIN {objects} AS object ON object.id = outcome._entity_id "
                "JOIN box.main.result AS origin ON origin.rowid = outcome.number "
                "WHERE outcome.step = ? AND list_contains(?, outcome._status) ORDER BY outcome.number",
                [step, [RowStatus.DONE, RowStatus.UNCHANGED] if earlier else [RowStatus.DONE]],
            )
        ((rows,),) = connection.execute(f"SELECT count(*) FROM output.{RESULT}").fetchall()
        return BoxResult(target, relation, int(rows))
    finally:
        connection.close()
