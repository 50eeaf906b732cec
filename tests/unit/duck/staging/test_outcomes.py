"""A connection that is only written to has an empty mirror with the outcomes of its rows."""

from __future__ import annotations

from pathlib import Path

import duckdb

from engine.duck import DuckStaging
from engine.duck.staging.outcomes import ROWS
from engine.run import RowOutcome, RowStatus
from tests.support.duck.staged import at_minute, catalogue, rows


def test_staging_file_with_outcomes_only_is_an_empty_mirror(tmp_path: Path) -> None:
    compared = tmp_path / "compared.duckdb"
    with duckdb.connect(str(compared)) as connection:
        connection.execute(
            f"CREATE TABLE {ROWS} AS SELECT 1::BIGINT AS row, 'a' AS key, 'call' AS verdict, NULL::VARCHAR AS object, "
            "NULL::VARCHAR AS problem, '{}'::JSON AS data"
        )
    staging = DuckStaging(tmp_path / "stripe.duckdb", catalogue())
    outcome = RowOutcome(1, "a", RowStatus.DONE, "called", "cus_1", at_minute(1), "r1-1")
    staging.keep_outcomes(compared, "r1", "ask.greet", [outcome], at_minute(1))
    assert staging.coverage() == ()
    assert staging.mirrors() == ()
    assert not staging.mirror("").rows
    assert staging.gaps("") == ()
    assert rows(staging.path, "SELECT step, key, _status, _entity_id FROM weir.outcomes") == [
        ("ask.greet", "a", "done", "cus_1")
    ]
