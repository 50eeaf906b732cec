"""The text beside the progress bar of a running task."""

from __future__ import annotations

from engine.cli.progress import standing


def test_progress_before_the_first_request_is_empty() -> None:
    assert standing({}, 5.0, None) == ""
    assert standing({"read": 7}, 5.0, 100) == ""


def test_progress_shows_a_rate_after_the_first_second() -> None:
    assert standing({"requests": 1, "rows": 100}, 0.4, None) == "1 request, 100 rows"
    assert standing({"requests": 200, "rows": 20_000}, 4.0, None) == "200 requests, 20,000 rows (5,000/s)"


def test_progress_with_a_known_total_shows_the_rest() -> None:
    counts = {"requests": 200, "rows": 20_000}
    assert standing(counts, 4.0, 420_000) == "200 requests, 20,000 rows (5,000/s), about 400,000 left in 1:20"
    assert standing(counts, 0.5, 21_000) == "200 requests, 20,000 rows, about 1,000 left"


def test_progress_beyond_the_expected_total_shows_no_rest() -> None:
    assert standing({"requests": 2, "rows": 120}, 2.0, 100) == "2 requests, 120 rows (60/s)"
