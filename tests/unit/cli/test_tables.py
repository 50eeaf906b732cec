"""Rows as people and programs get them."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.cli.tables import csv_rows, json_line, plain_value, text_table


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


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_csv_is_read_back_as_it_was(rows: list[tuple[str, str]]) -> None:
    text = "".join(csv_rows(("a", "b"), rows))
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["a", "b"], *[list(row) for row in rows]]


def test_csv_tells_null_from_empty() -> None:
    assert list(csv_rows(("a", "b"), [(None, "")])) == ["a,b\r\n", ',""\r\n']
