"""Plans calls of a function from a box's rows: one for each row without an earlier call."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from engine.graph import Call, Use
from engine.plan import FieldChange, PlannedWrite, StepWrites

from ..problems import Problem
from .compare import NOT_SETTLED
from .plan import read_refusals
from .rows import DesiredRows, load_pairs

_OBJECT = "id"
NO_KEY = "has no value in its key, which must identify its call"


def plan_calls(
    connection: duckdb.DuckDBPyConnection,
    step: Call,
    desired: DesiredRows,
    done: Mapping[str, str],
    blocked: frozenset[str],
) -> StepWrites:
    """All calls of the step in the order of the box. Creates the table `compared`, as `compare` does."""
    rows = desired.build(step.key, key_of_values=not step.key)
    load_pairs(connection, "called", done)
    load_pairs(connection, "blocked", dict.fromkeys(sorted(blocked), ""))
    keyless = desired.fail("a part of the key is NULL", Problem("the row", NO_KEY)) if step.key else 0
    parts = " OR ".join(f"json_type(key, '$[{number}]') = 'NULL'" for number in range(len(step.key)))
    no_key = f"WHEN key LIKE '%null%' AND ({parts}) THEN {keyless} " if step.key else ""
    doubt = desired.fail("key IN (SELECT key FROM blocked)", Problem("the row", NOT_SETTLED))
    double = desired.fail("doubles > 1", Problem("the row", "would repeat the call of another row"))
    connection.execute(
        "CREATE TEMP TABLE compared AS SELECT *, "
        "CASE WHEN refusal <> 0 THEN 'refused' WHEN done THEN 'none' ELSE 'call' END AS verdict FROM ("
        f"SELECT *, CASE WHEN done THEN 0 WHEN bad <> 0 THEN bad {_required(step, desired)} "
        f"{no_key}WHEN key IN (SELECT key FROM blocked) THEN {doubt} WHEN doubles > 1 THEN {double} "
        "ELSE 0 END AS refusal FROM ("
        "SELECT desired.*, nullif(called.object, '') AS object, NULL::VARCHAR AS written, "
        "called.key IS NOT NULL AS done, "
        "count(*) OVER (PARTITION BY desired.key) AS doubles "
        "FROM desired LEFT JOIN called ON called.key = desired.key))"
    )
    counted = dict(connection.execute("SELECT verdict, count(*) FROM compared GROUP BY verdict").fetchall())
    return StepWrites(
        step=step.id,
        rows=rows,
        unchanged=int(counted.get("none", 0)),
        refused=int(counted.get("refused", 0)),
        writes=tuple(_calls(connection, step)),
        refusals=read_refusals(connection, desired.problems),
    )


def _required(step: Call, desired: DesiredRows) -> str:
    """SQL cases that refuse a row without a value for a required parameter."""
    cases = []
    for index, column in enumerate(step.columns):
        if column.parameter.required and "[" not in column.path:
            problem = Problem(f"`{column.path}`", f"has no value, and `{step.function}` needs one")
            cases.append(f"WHEN v{index} IS NULL THEN {desired.fail(f'v{index} IS NULL', problem)}")
    return " ".join(cases)


def _calls(connection: duckdb.DuckDBPyConnection, step: Call) -> list[PlannedWrite]:
    values = "".join(f", v{index}" for index in range(len(step.columns)))
    found = connection.execute(f"SELECT row, key{values} FROM compared WHERE verdict = 'call' ORDER BY row").fetchall()
    calls = []
    for row, key, *texts in found:
        given = [(column.path, text) for column, text in zip(step.columns, texts, strict=True) if text is not None]
        target = next((text for path, text in given if path == _OBJECT), None) if step.verb.of_object else None
        parameters = tuple((path, text) for path, text in given if path != _OBJECT or not step.verb.of_object)
        changes = tuple(FieldChange(path, None, text) for path, text in parameters)
        lane = target or next((text for path, text in given if path in ("customer", "subscription")), None)
        calls.append(PlannedWrite(Use.CALL, step.function, str(key), int(row), target, parameters, changes, lane))
    return calls
