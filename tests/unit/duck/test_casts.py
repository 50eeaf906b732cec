"""Casts keep the value or refuse it."""

from __future__ import annotations

import duckdb
import pytest

from engine.duck.casts import cast
from engine.relation import ColumnType

GOOD = [
    ("12::BIGINT", "integer", "12"),
    ("' 12 '", "integer", "12"),
    ("'12.00'", "integer", "12"),
    ("12.0::DOUBLE", "integer", "12"),
    ("12.00::DECIMAL(10,2)", "integer", "12"),
    ("JSON '\"7\"'", "integer", "7"),
    ("JSON '7'", "integer", "7"),
    ("JSON 'null'", "integer", None),
    ("NULL::VARCHAR", "integer", None),
    ("NULL", "integer", None),
    ("(-5)::HUGEINT", "integer", "-5"),
    ("1999 / 100", "decimal(18,2)", "19.99"),
    ("'12.3400'", "decimal(18,2)", "12.34"),
    ("'.5'", "decimal(18,2)", "0.50"),
    ("'+12'", "decimal(18,0)", "12"),
    ("12.3400::DECIMAL(20,4)", "decimal(18,2)", "12.34"),
    ("99::BIGINT", "decimal(4,2)", "99.00"),
    ("JSON '12.5'", "decimal(18,2)", "12.50"),
    ("'1e3'", "float", "1000.0"),
    ("9007199254740992::BIGINT", "float", "9007199254740992.0"),
    ("0.1::DECIMAL(3,1)", "float", "0.1"),
    ("'Yes'", "boolean", "true"),
    ("JSON 'false'", "boolean", "false"),
    ("'2024-02-29'", "date", "2024-02-29"),
    ("TIMESTAMP '2024-02-29 00:00:00'", "date", "2024-02-29"),
    ("'2024-02-29T23:30:00+02:00'", "timestamp", "2024-02-29 21:30:00"),
    ("'2024-02-29T23:30:00Z'", "timestamp", "2024-02-29 23:30:00"),
    ("'2024-02-29 23:30:00.123456'", "timestamp", "2024-02-29 23:30:00.123456"),
    ("'2024-02-29'", "timestamp", "2024-02-29 00:00:00"),
    ("DATE '2024-02-29'", "timestamp", "2024-02-29 00:00:00"),
    ("TIMESTAMPTZ '2024-02-29 12:00:00+02'", "timestamp", "2024-02-29 10:00:00"),
    ("JSON '\"gold\"'", "text", "gold"),
    ("JSON '{\"a\": 1}'", "text", '{"a":1}'),
    ("12.50::DECIMAL(9,2)", "text", "12.50"),
    ("{'a': 1}", "json", '{"a":1}'),
    ("'{\"a\": 1}'", "json", '{"a": 1}'),
    ("[1, 2]", "json", "[1,2]"),
    ("JSON '[1, 2]'", "integer[]", "[1, 2]"),
    ("[1.0, 2.0]", "integer[]", "[1, 2]"),
    ("['a']", "text[]", "[a]"),
]
BAD = [
    ("'12.5'", "integer", "is not an integer of 64 bits"),
    ("'0x1f'", "integer", "is not an integer of 64 bits"),
    ("'1_000'", "integer", "is not an integer of 64 bits"),
    ("''", "integer", "is not an integer of 64 bits"),
    ("'9223372036854775808'", "integer", "is not an integer of 64 bits"),
    ("9223372036854775808::HUGEINT", "integer", "does not fit into 64 bits"),
    ("12.5::DOUBLE", "integer", "is not a whole number"),
    ("12.5", "integer", "is not a whole number"),
    ("'nan'::DOUBLE", "integer", "does not fit into 64 bits"),
    ("true", "integer", "is not of type integer"),
    ("1.0 / 3", "decimal(18,2)", "has more than 2 decimal places: use round(…, 2)"),
    ("'12.345'", "decimal(18,2)", "is not a decimal(18,2)"),
    ("'1,000'", "decimal(18,2)", "is not a decimal(18,2)"),
    ("12.345::DECIMAL(10,3)", "decimal(18,2)", "has more than 2 decimal places"),
    ("100::BIGINT", "decimal(4,2)", "does not fit into decimal(4,2)"),
    ("1e30::DOUBLE", "decimal(18,2)", "does not fit into decimal(18,2)"),
    ("9007199254740993::BIGINT", "float", "has more digits than a float holds"),
    ("'abc'", "float", "is not a number"),
    ("'2'", "boolean", "is neither true nor false"),
    ("2::BIGINT", "boolean", "is not of type boolean"),
    ("'2024-02-30'", "date", "is not a date (YYYY-MM-DD)"),
    ("'2024-02-29 12:00:00'", "date", "is not a date (YYYY-MM-DD)"),
    ("TIMESTAMP '2024-02-29 12:00:00'", "date", "has a time of day"),
    ("'2024-02-29 23:30:00.1234567'", "timestamp", "is not a timestamp (YYYY-MM-DDThh:mm:ssZ, to the microsecond)"),
    ("'yesterday'", "timestamp", "is not a timestamp (YYYY-MM-DDThh:mm:ssZ, to the microsecond)"),
    ("TIMESTAMP_NS '2024-02-29 12:00:00.123456789'", "timestamp", "is finer than a microsecond"),
    ("'{bad'", "json", "is not JSON"),
    ("JSON '[1, 2.5]'", "integer[]", "has items that do not fit into integer[]"),
    ("JSON '{}'", "integer[]", "is not a list (integer[])"),
    ("[1.5]", "integer[]", "has items that do not fit into integer[]"),
    ("['a', '1']", "integer[]", "has items that do not fit into integer[]"),
    ("5::BIGINT", "integer[]", "is not of type integer[]"),
]


def convert(value: str, target: str) -> tuple[str | None, str | None]:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'America/New_York'")
    connection.execute(f"CREATE TABLE rows AS SELECT {value} AS v")
    source = connection.execute("SELECT typeof(v) FROM rows").fetchall()[0][0]
    made = cast('"v"', source, ColumnType.parse(target))
    shown = "".join(f" WHEN {misfit.condition} THEN '{misfit.problem}'" for misfit in made.misfits)
    problem = f"CASE{shown} END" if shown else "NULL"
    connection.execute("SET TimeZone = 'UTC'")
    row = connection.execute(f"SELECT CAST({made.value} AS VARCHAR), {problem} FROM rows").fetchall()[0]
    return row[0], row[1]


@pytest.mark.parametrize(("value", "target", "expected"), GOOD)
def test_cast_of_a_fitting_value_keeps_it(value: str, target: str, expected: str | None) -> None:
    assert convert(value, target) == (expected, None)


@pytest.mark.parametrize(("value", "target", "problem"), BAD)
def test_cast_that_would_change_the_value_is_refused(value: str, target: str, problem: str) -> None:
    assert convert(value, target)[1] == problem
