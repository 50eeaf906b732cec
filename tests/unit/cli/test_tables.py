"""Rows as text tables for people and as JSON for programs."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

from engine.cli.tables import fits, json_line, plain_value, text_records, text_table


def test_text_table_aligns_columns_and_right_aligns_numbers() -> None:
    table = text_table(("name", "rows"), [("charges", 12), ("日本", 3456), (None, None)])
    assert table.rstrip().splitlines() == [
        "name     rows",
        "-------  ----",
        "charges    12",
        "日本     3456",
    ]


def test_text_table_replaces_control_characters() -> None:
    assert "\x1b" not in text_table(("a\x1b[31m",), [("\x1b]0;title\x07",), ("two\nlines",)])


def test_text_table_truncates_long_values() -> None:
    (line,) = text_table(("a",), [("x" * 500,)]).splitlines()[2:]
    assert line.endswith("…")
    assert len(line) == 60


def test_json_line_keeps_exact_values_as_text() -> None:
    row = {"amount": Decimal("0.10"), "at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "day": date(2026, 1, 2), "no": None}
    assert json.loads(json_line(row)) == {
        "amount": "0.10",
        "at": "2026-01-02T03:04:00+00:00",
        "day": "2026-01-02",
        "no": None,
    }
    assert plain_value({"a": [b"\x01", (1, 2)]}) == {"a": ["01", [1, 2]]}


def test_json_line_writes_non_finite_numbers_as_text() -> None:
    assert json_line({"a": float("nan"), "b": [float("-inf")]}) == '{"a": "nan", "b": ["-inf"]}'


def test_narrow_table_truncates_the_widest_columns_but_not_the_name() -> None:
    name, note = "a" * 30, "日本語" * 20
    lines = text_table(("name", "status", "note"), [(name, "succeeded", note)], widest=None, fit=60).splitlines()
    assert lines[2].startswith(f"{name}  succeeded  日本語日本語")
    assert lines[2].endswith("…")
    assert max(len(line) + sum(line.count(wide) for wide in "日本語") for line in lines) <= 60
    assert text_table(("name", "note"), [("a", "b" * 70)], widest=None).endswith("b" * 70)


def test_table_that_does_not_fit_becomes_records() -> None:
    names = [f"column_{number}" for number in range(10)]
    assert fits(names, 140)
    assert not fits(names, 80)
    assert text_records(("id", "全角"), [(1, None), (2, "x\x1b" + "y" * 99)]).splitlines() == [
        "-- row 1",
        "id    1",
        "全角",
        "-- row 2",
        "id    2",
        f"全角  x·{'y' * 99}",
    ]
