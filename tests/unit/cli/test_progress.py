"""What a bar says about a task that goes on."""

from __future__ import annotations

from engine.cli.progress import standing


def test_nothing_is_said_before_anything_came() -> None:
    assert standing({}, 5.0, None) == ""
    assert standing({"read": 7}, 5.0, 100) == ""


def test_a_rate_is_told_once_there_is_one() -> None:
    assert standing({"requests": 1, "rows": 100}, 0.4, None) == "1 request, 100 rows"
    assert standing({"requests": 200, "rows": 20_000}, 4.0, None) == "200 requests, 20,000 rows (5,000/s)"


def test_what_is_left_is_told_where_it_is_known() -> None:
    counts = {"requests": 200, "rows": 20_000}
    assert standing(counts, 4.0, 420_000) == "200 requests, 20,000 rows (5,000/s), about 400,000 left in 1:20"
    assert standing(counts, 0.5, 21_000) == "200 requests, 20,000 rows, about 1,000 left"


def test_more_than_was_expected_is_no_negative_rest() -> None:
    assert standing({"requests": 2, "rows": 120}, 2.0, 100) == "2 requests, 120 rows (60/s)"
