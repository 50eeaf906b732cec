"""The outcome of each row of a step that writes to the provider: `weir.outcomes` of a mirror."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import duckdb

from engine.run import RowOutcome, RowStatus

from ..quoting import quote_literal

ROWS: Final = "rows"
"""The table of a comparison's file: row, key, verdict, object, problem, data."""

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS weir.outcomes (
    run VARCHAR NOT NULL,
    step VARCHAR NOT NULL,
    key VARCHAR,
    number BIGINT,
    "row" JSON,
    _status VARCHAR NOT NULL,
    _message VARCHAR,
    _entity_id VARCHAR,
    _time TIMESTAMP NOT NULL,
    op VARCHAR,
    type VARCHAR,
    code VARCHAR,
    param VARCHAR,
    request_id VARCHAR
)
"""
_SHAPE: Final = (
    '[{"row":"BIGINT","key":"VARCHAR","status":"VARCHAR","message":"VARCHAR","entity":"VARCHAR","time":"VARCHAR",'
    '"op":"VARCHAR","type":"VARCHAR","code":"VARCHAR","param":"VARCHAR","request":"VARCHAR"}]'
)


def make_outcome_table(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the table, unless it exists."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS weir")
    connection.execute(_TABLE)


def keep_outcomes(
    connection: duckdb.DuckDBPyConnection,
    run: str,
    step: str,
    outcomes: Sequence[RowOutcome],
    now: datetime,
) -> None:
    """Replace the step's outcomes within the open transaction. The comparison's file is attached as `export_rows`.

    A row without an outcome is unchanged or refused, by the verdict of the comparison.
    """
    make_outcome_table(connection)
    connection.execute("DELETE FROM weir.outcomes WHERE step = ?", [step])
    timestamp = now.astimezone(UTC).replace(tzinfo=None)
    connection.execute(
        f"""
        INSERT INTO weir.outcomes
        WITH reported AS (SELECT unnest(from_json($reported::JSON, {quote_literal(_SHAPE)}), max_depth := 2))
        SELECT $run, $step, coalesce(found.key, reported.key), found."row", found.data,
            coalesce(reported.status, CASE found.verdict WHEN 'none' THEN $unchanged ELSE $refused END),
            coalesce(reported.message, found.problem), coalesce(reported.entity, found.object),
            coalesce(TRY_CAST(reported.time AS TIMESTAMP), $now), reported.op, reported.type, reported.code,
            reported.param, reported.request
        FROM export_rows.main.{ROWS} AS found FULL JOIN reported ON reported."row" = found."row"
        WHERE reported.status IS NOT NULL OR found.verdict IN ('none', 'refused')
        ORDER BY found."row" NULLS LAST
        """,
        {
            "reported": json.dumps([_reported(each) for each in outcomes]),
            "run": run,
            "step": step,
            "now": timestamp,
            "unchanged": RowStatus.UNCHANGED.value,
            "refused": RowStatus.REFUSED.value,
        },
    )


def _reported(outcome: RowOutcome) -> dict[str, object]:
    failure = outcome.failure
    return {
        "row": outcome.row,
        "key": outcome.key,
        "status": outcome.status,
        "message": outcome.message,
        "entity": outcome.entity_id,
        "time": outcome.time.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" "),
        "op": outcome.op,
        "type": failure.type if failure else None,
        "code": failure.code if failure else None,
        "param": failure.param if failure else None,
        "request": failure.request_id if failure else outcome.request,
    }
