"""Lengths of time, read and written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.spec.base import duration_text, seconds


@pytest.mark.parametrize(
    ("text", "shortest"), [("60s", "1m"), ("90m", "90m"), ("24h", "1d"), ("1500ms", "1500ms"), ("007d", "7d")]
)
def test_a_duration_is_written_in_the_largest_unit_that_fits(text: str, shortest: str) -> None:
    assert duration_text(timedelta(seconds=seconds(text))) == shortest


@given(st.integers(1, 10**6), st.sampled_from(["ms", "s", "m", "h"]))
def test_what_is_written_means_the_same(number: int, unit: str) -> None:
    length = timedelta(seconds=seconds(f"{number}{unit}"))
    assert timedelta(seconds=seconds(duration_text(length))) == length
