"""Values of input rows become text for the types of their columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.duck import result_rows, write_rows
from engine.relation import Column, ColumnType, Relation, as_text
from engine.run import StoreError


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("text", "a'b", "a'b"),
        ("text", None, None),
        ("integer", 2**63 - 1, str(2**63 - 1)),
        ("integer", -(2**63), str(-(2**63))),
        ("integer", 3.0, "3"),
        ("decimal(18,2)", "1.5", "1.5"),
        ("decimal(18,2)", "1.500", "1.5"),
        ("decimal(18,2)", 10**15, str(10**15)),
        ("decimal(3,3)", "0.125", "0.125"),
        ("float", 1, "1.0"),
        ("boolean", True, "true"),
        ("date", "2024-02-29", "2024-02-29"),
        ("timestamp", "2026-01-01T00:30:00+02:00", "2025-12-31 22:30:00"),
        ("json", {"a": [1, None]}, '{"a": [1, null]}'),
        ("text[]", ["a", None], '["a", null]'),
        ("integer[][]", [[1], []], '[["1"], []]'),
    ],
)
def test_as_text_of_a_valid_value_casts_to_its_type(kind: str, value: object, text: str | None) -> None:
    assert as_text(value, ColumnType.parse(kind)) == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 1),
        ("text", "a\0b"),
        ("text", "\ud800"),
        ("integer", True),
        ("integer", 2**63),
        ("integer", 1.5),
        ("integer", "1"),
        ("decimal(18,2)", "1.005"),
        ("decimal(18,2)", 10**16),
        ("decimal(18,2)", "1e3"),
        ("decimal(18,2)", "nan"),
        ("decimal(18,2)", True),
        ("decimal(3,3)", 1),
        ("float", math.inf),
        ("float", math.nan),
        ("float", 10**400),
        ("boolean", 1),
        ("date", "2026-02-30"),
        ("date", "2026-W01-1"),
        ("timestamp", "2026-01-01T00:00:00"),
        ("timestamp", "0001-01-01T00:00:00+14:00"),
        ("timestamp", 0),
        ("json", {"a": math.nan}),
        ("json", ["\0"]),
        ("text[]", "a"),
        ("text[]", [1]),
    ],
)
def test_as_text_of_an_invalid_value_raises(kind: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        as_text(value, ColumnType.parse(kind))


FIRST, LAST = (datetime(year, 1, 1) for year in (1600, 2400))  # noqa: DTZ001 - a strategy wants them so
COLUMNS: Mapping[str, Any] = {
    "t": ("text", st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))),
    "i": ("integer", st.integers(-(2**63), 2**63 - 1)),
    "d": ("decimal(18,2)", st.decimals(-(10**12), 10**12, places=2).map(str)),
    "f": ("float", st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)),
    "b": ("boolean", st.booleans()),
    "m": ("timestamp", st.datetimes(FIRST, LAST).map(lambda each: f"{each.isoformat()}Z")),
    "l": ("text[]", st.lists(st.text("ab\"'\\", max_size=3) | st.none(), max_size=3)),
}
RELATION = Relation(tuple(Column(name, ColumnType.parse(kind)) for name, (kind, _) in COLUMNS.items()))


ROWS = st.lists(st.fixed_dictionaries({name: st.none() | values for name, (_, values) in COLUMNS.items()}), max_size=4)


@given(ROWS)
@settings(max_examples=30)
def test_written_rows_read_back_unchanged(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> None:
    target = tmp_path_factory.mktemp("rows") / "rows.duckdb"
    texts = [{column.name: as_text(row[column.name], column.type) for column in RELATION} for row in rows]
    assert write_rows(target, RELATION, texts).rows == len(rows)
    assert [dict(row) for row in result_rows(target, 10)] == [_plain(row) for row in rows]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as in JSON responses: exact decimals and timestamps are text."""
    found = dict(row)
    if found["d"] is not None:
        found["d"] = f"{Decimal(found['d']) + Decimal('0.00'):.2f}"
    if found["m"] is not None:
        found["m"] = datetime.fromisoformat(found["m"]).replace(tzinfo=None).isoformat().rstrip("0").rstrip(".")
        if "." not in found["m"]:
            found["m"] = datetime.fromisoformat(row["m"]).replace(tzinfo=None).isoformat()
    return found


def test_write_rows_with_an_invalid_value_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not fit"):
        write_rows(tmp_path / "rows.duckdb", RELATION, [{"i": "one"}])
    assert not (tmp_path / "rows.duckdb").exists()
