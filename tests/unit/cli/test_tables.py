"""Rows as people and programs get them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

from engine.cli.tables import fits, json_line, plain_value, text_records, text_table


def test_columns_are_aligned_and_numbers_stand_right() -> None:
    table = text_table(("name", "rows"), [("charges", 12), ("日本", 3456), (None, None)])
    assert table.rstrip().splitlines() == [
        "name     rows",
        "-------  ----",
        "charges    12",
        "日本     3456",
    ]


def test_control_characters_cannot_reach_the_terminal() -> None:
    assert "\x1b" not in text_table(("a\x1b[31m",), [("\x1b]0;title\x07",), ("two\nlines",)])


def test_long_values_are_cut() -> None:
    (line,) = text_table(("a",), [("x" * 500,)]).splitlines()[2:]
    assert line.endswith("…")
    assert len(line) == 60


def test_exact_values_stay_exact() -> None:
    row = {"amount": Decimal("0.10"), "at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "day": date(2026, 1, 2), "no": None}
    assert json.loads(json_line(row)) == {
        "amount": "0.10",
        "at": "2026-01-02T03:04:00+00:00",
        "day": "2026-01-02",
        "no": None,
    }
    assert plain_value({"a": [b"\x01", (1, 2)]}) == {"a": ["01", [1, 2]]}


def test_what_json_has_no_number_for_is_text() -> None:
    assert json_line({"a": float("nan"), "b": [float("-inf")]}) == '{"a": "nan", "b": ["-inf"]}'


def test_a_narrow_terminal_cuts_the_widest_columns_but_not_the_name() -> None:
    name, note = "a" * 30, "日本語" * 20
    lines = text_table(("name", "status", "note"), [(name, "succeeded", note)], widest=None, fit=60).splitlines()
    assert lines[2].startswith(f"{name}  succeeded  日本語日本語")
    assert lines[2].endswith("…")
    assert max(len(line) + sum(line.count(wide) for wide in "日本語") for line in lines) <= 60
    assert text_table(("name", "note"), [("a", "b" * 70)], widest=None).endswith("b" * 70)


def test_too_many_columns_become_lines() -> None:
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
